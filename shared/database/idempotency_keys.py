"""Answers kept by the key their request came with, so that a repeated request is answered and not done again."""

from collections.abc import Mapping
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

KEPT: Final = timedelta(hours=24)
"""How long an answer is kept. A key used again after that is a new one."""


def idempotency_keys_table(metadata: MetaData) -> Table:
    """Keys, each written in the transaction of the change it stands for."""
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
    """Of what was sent: the same request must send the same."""


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """How a request was answered, and to what."""

    fingerprint: bytes
    status: int
    headers: Mapping[str, str]
    body: bytes


_table: Final = idempotency_keys_table(MetaData())
_LOCK: Final = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 0))")


async def hold(connection: AsyncConnection, request: IdempotentRequest) -> bool:
    """Keep the key to this transaction until its end; False when another transaction has it."""
    name = f"{request.subject}\n{request.operation}\n{request.key}"
    held: bool = (await connection.execute(_LOCK, {"name": name})).scalar_one()
    return held


async def find(connection: AsyncConnection, request: IdempotentRequest) -> StoredResponse | None:
    """The answer kept for this key, if there is one that is not too old."""
    query = select(_table).where(
        _table.c.subject == request.subject,
        _table.c.operation == request.operation,
        _table.c.key == request.key,
        _table.c.created_at > func.now() - KEPT,
    )
    row = (await connection.execute(query)).mappings().one_or_none()
    return StoredResponse(row["fingerprint"], row["status"], row["headers"], row["body"]) if row else None


async def keep(
    connection: AsyncConnection, request: IdempotentRequest, *, status: int, headers: Mapping[str, str], body: bytes
) -> None:
    """Store the answer to a request, in the place of one that is too old."""
    statement = insert(_table).values(
        subject=request.subject,
        operation=request.operation,
        key=request.key,
        fingerprint=request.fingerprint,
        status=status,
        headers=dict(headers),
        body=body,
        created_at=func.now(),
    )
    new = {column.name: statement.excluded[column.name] for column in _table.columns if not column.primary_key}
    await connection.execute(statement.on_conflict_do_update(constraint=_table.primary_key, set_=new))


async def delete_expired(connection: AsyncConnection) -> int:
    """Delete what is older than ``KEPT``; returns how many."""
    result = await connection.execute(delete(_table).where(_table.c.created_at <= func.now() - KEPT))
    return result.rowcount
