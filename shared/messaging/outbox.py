"""The outbox: a message is stored in the transaction of its change, and sent by the relay afterwards."""

from collections.abc import Sequence

from sqlalchemy import MetaData, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.events.envelope import EventData, Serialized, compose, frame
from shared.messaging.tables import outbox_table
from shared.messaging.topology import ExchangeName

_INSERT = insert(outbox_table(MetaData()))


def insert_events_sql(messages: str) -> str:
    """Return SQL that stores events which it makes itself, so that their data never leaves the database.

    Parameters
    ----------
    messages
        SQL that returns a row for each event, in their order, with the columns `company_id`, `type`, `frame` (of
        `Outbox.frames`, for that type) and `data`, its JSON as text.
    """
    return f"""
        INSERT INTO outbox (event_id, exchange, routing_key, company_id, body)
        SELECT id, '{ExchangeName.EVENTS.value}', type, company_id, convert_to(format(frame, id, data), 'UTF8')
        FROM (SELECT gen_random_uuid() AS id, * FROM ({messages}) AS messages) AS identified
    """


class Outbox:
    """The outbox of a service: stores its messages.

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
        """Store a command; it remains stored until a queue has accepted it."""
        await self._store(connection, company_id, [command], ExchangeName.COMMANDS)

    def frames(self, company_id: int, types: Sequence[str]) -> list[str]:
        """Return the envelopes of events of these types, for SQL that fills them (`insert_events_sql`)."""
        return [frame(event_type, source=self._source, company_id=company_id) for event_type in types]

    async def _store(
        self,
        connection: AsyncConnection,
        company_id: int,
        messages: Sequence[EventData | Serialized],
        exchange: ExchangeName,
    ) -> None:
        rows = []
        for data in messages:
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
