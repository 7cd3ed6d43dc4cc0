"""The table of idempotency keys: the result of a request, stored under the key that the request came with."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import (
    Column,
    DateTime,
    Index,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    delete,
    func,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncConnection

RETENTION: Final = timedelta(hours=24)
"""How long a result is stored. A key that is used again after that is a new one."""
RESULT: Final = 0
"""``status`` of a row that stores a result. A row with a status of HTTP stores a whole response."""


def idempotency_keys_table(metadata: MetaData) -> Table:
    """Return the table; each of its rows is written in the transaction of the change that it stands for.

    Before version 0.2 a row stored a response: status, headers and body. Now it stores a result, in ``body``, and its
    ``status`` is ``RESULT``. Both are read, so a request from before an upgrade is replayed after it (decision 10).
    """
    return Table(
        "idempotency_keys",
        metadata,
        Column("subject", Text, primary_key=True, comment="The caller."),
        Column("operation", Text, primary_key=True, comment="Method and path."),
        Column("key", Text, primary_key=True),
        Column("fingerprint", LargeBinary, nullable=False, comment="Of what was sent."),
        Column("status", SmallInteger, nullable=False),
        Column("headers", JSONB, nullable=False),
        Column("body", LargeBinary, nullable=False),
        Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        Index("idempotency_keys_created_at", "created_at"),
    )


@dataclass(frozen=True, slots=True)
class IdempotentRequest:
    """A request that carries a key: the same one when caller, operation and key are the same."""

    subject: str
    operation: str
    key: str
    fingerprint: bytes
    """Hash of what was sent: the same request must send the same content."""


@dataclass(frozen=True, slots=True)
class StoredRow:
    """What is stored under a key."""

    fingerprint: bytes
    status: int
    body: bytes

    @property
    def result(self) -> bytes:
        """The result of the request, as JSON; of a row that stores a response, the result in it.

        The body of a response was ``{"message": …, "data": <result>}``, or ``{"message": …}`` of a request without a
        result, or the result alone.
        """
        if self.status == RESULT or not self.body.startswith(b'{"message":'):
            return self.body
        _, _, data = self.body.partition(b',"data":')
        return data.removesuffix(b"}") or b"null"


_table: Final = idempotency_keys_table(MetaData())
_LOCK: Final = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 0))")


async def lock(connection: AsyncConnection, request: IdempotentRequest) -> bool:
    """Lock the key until the end of the transaction; return False when another transaction has locked it."""
    name = f"{request.subject}\n{request.operation}\n{request.key}"
    locked: bool = (await connection.execute(_LOCK, {"name": name})).scalar_one()
    return locked


async def find(connection: AsyncConnection, request: IdempotentRequest) -> StoredRow | None:
    """Return what is stored under the key, unless it is older than ``RETENTION``."""
    query = select(_table).where(
        _table.c.subject == request.subject,
        _table.c.operation == request.operation,
        _table.c.key == request.key,
        _table.c.created_at > func.now() - RETENTION,
    )
    row = (await connection.execute(query)).mappings().one_or_none()
    return StoredRow(row["fingerprint"], row["status"], row["body"]) if row else None


async def store(connection: AsyncConnection, request: IdempotentRequest, result: bytes) -> None:
    """Store the result of a request, in the place of one that is expired or no longer valid."""
    statement = insert(_table).values(
        subject=request.subject,
        operation=request.operation,
        key=request.key,
        fingerprint=request.fingerprint,
        status=RESULT,
        headers={},
        body=result,
        created_at=func.now(),
    )
    new = {column.name: statement.excluded[column.name] for column in _table.columns if not column.primary_key}
    await connection.execute(statement.on_conflict_do_update(constraint=_table.primary_key, set_=new))


async def delete_expired(connection: AsyncConnection) -> int:
    """Delete the rows that are older than ``RETENTION``; return their number."""
    result = await connection.execute(delete(_table).where(_table.c.created_at <= func.now() - RETENTION))
    return result.rowcount
