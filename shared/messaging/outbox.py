"""The outbox: a message is stored with the change it tells, and sent by the relay afterwards."""

from collections.abc import Sequence

from sqlalchemy import MetaData, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.events.envelope import EventData, Outgoing, compose, compose_serialized
from shared.messaging.tables import outbox_table
from shared.messaging.topology import ExchangeName

_outbox = outbox_table(MetaData())


class Outbox:
    """Where a service leaves its messages.

    Parameters
    ----------
    source
        The service's name in the envelope, as ``/lead-svc``.
    """

    def __init__(self, source: str) -> None:
        self._source = source

    async def add(self, connection: AsyncConnection, company_id: int, *events: EventData) -> None:
        """Store events, to be sent once the connection's transaction has been committed."""
        outgoing = [compose(data, source=self._source, company_id=company_id) for data in events]
        await self._store(connection, company_id, outgoing, ExchangeName.EVENTS)

    async def add_serialized(
        self, connection: AsyncConnection, company_id: int, event_type: str, bodies: Sequence[bytes]
    ) -> None:
        """Store events whose data is already JSON of the type's shape."""
        outgoing = [compose_serialized(event_type, data, source=self._source, company_id=company_id) for data in bodies]
        await self._store(connection, company_id, outgoing, ExchangeName.EVENTS)

    async def command(self, connection: AsyncConnection, company_id: int, command: EventData) -> None:
        """Store a command; it is kept until a queue has taken it."""
        outgoing = compose(command, source=self._source, company_id=company_id)
        await self._store(connection, company_id, [outgoing], ExchangeName.COMMANDS)

    async def _store(
        self, connection: AsyncConnection, company_id: int, outgoing: Sequence[Outgoing], exchange: ExchangeName
    ) -> None:
        rows = [
            {
                "event_id": message.id,
                "exchange": exchange.value,
                "routing_key": message.type,
                "company_id": company_id,
                "body": message.body,
            }
            for message in outgoing
        ]
        await connection.execute(insert(_outbox), rows)
