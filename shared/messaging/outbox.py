"""The outbox: a message is stored with the change it tells, and sent by the relay afterwards."""

from collections.abc import Sequence

from sqlalchemy import MetaData, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.events.envelope import EventData, Serialized, compose
from shared.messaging.tables import outbox_table
from shared.messaging.topology import ExchangeName

_INSERT = insert(outbox_table(MetaData()))


class Outbox:
    """Where a service leaves its messages.

    Parameters
    ----------
    source
        The service's name in the envelope, as ``/lead-svc``.
    """

    def __init__(self, source: str) -> None:
        self._source = source

    async def add(self, connection: AsyncConnection, company_id: int, *events: EventData | Serialized) -> None:
        """Store events, to be sent once the connection's transaction has been committed."""
        await self._store(connection, company_id, events, ExchangeName.EVENTS)

    async def command(self, connection: AsyncConnection, company_id: int, command: EventData) -> None:
        """Store a command; it is kept until a queue has taken it."""
        await self._store(connection, company_id, [command], ExchangeName.COMMANDS)

    async def _store(
        self,
        connection: AsyncConnection,
        company_id: int,
        told: Sequence[EventData | Serialized],
        exchange: ExchangeName,
    ) -> None:
        rows = []
        for data in told:
            message = compose(data, source=self._source, company_id=company_id)
            rows.append(
                {
                    "event_id": message.id,
                    "exchange": exchange.value,
                    "routing_key": message.type,
                    "company_id": company_id,
                    "body": message.body,
                }
            )
        if rows:
            await connection.execute(_INSERT, rows)
