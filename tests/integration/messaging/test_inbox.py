"""The inbox on a real database."""

from uuid import uuid4

from sqlalchemy import text

from shared.database.engine import Database
from shared.messaging import inbox


async def test_an_event_is_claimed_once_by_each_consumer(database: Database) -> None:
    old, new = uuid4(), uuid4()
    async with database.transaction() as connection:
        assert await inbox.claim(connection, "one", [old]) == {old}
    async with database.transaction() as connection:
        assert await inbox.claim(connection, "one", [old, new, new]) == {new}
        assert await inbox.claim(connection, "another", [old]) == {old}


async def test_a_claim_that_is_rolled_back_was_never_made(database: Database) -> None:
    event_id = uuid4()
    async with database.transaction() as connection:
        await inbox.claim(connection, "one", [event_id])
        await connection.rollback()
    async with database.transaction() as connection:
        assert await inbox.claim(connection, "one", [event_id]) == {event_id}


async def test_only_rows_older_than_the_retention_are_deleted(database: Database) -> None:
    old, recent = uuid4(), uuid4()
    async with database.transaction() as connection:
        await inbox.claim(connection, "one", [old, recent])
        for event_id, age in ((old, inbox.RETENTION * 1.01), (recent, inbox.RETENTION * 0.99)):
            await connection.execute(
                text("UPDATE inbox SET applied_at = now() - CAST(:age AS interval) WHERE event_id = :id"),
                {"age": age, "id": event_id},
            )
    async with database.transaction() as connection:
        assert await inbox.delete_expired(connection) == 1
    async with database.transaction() as connection:
        assert await inbox.claim(connection, "one", [old, recent]) == {old}
