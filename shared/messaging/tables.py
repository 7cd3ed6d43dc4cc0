"""The two tables of messages in every service's database: the outbox and the inbox."""

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
    func,
    text,
)


def outbox_table(metadata: MetaData) -> Table:
    """Return the outbox: messages, written in the transaction of their change, deleted once the broker confirmed them.

    A row is the message's whole state: there is no mark of the relay's progress, because ids are not in the order of
    commits, and a transaction that commits late would be skipped.
    """
    return Table(
        "outbox",
        metadata,
        Column("id", BigInteger, Identity(always=True), primary_key=True),
        Column("event_id", Uuid, nullable=False),
        Column("exchange", Text, nullable=False),
        Column("routing_key", Text, nullable=False),
        Column("company_id", BigInteger, nullable=False),
        Column("body", LargeBinary, nullable=False),
        Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        Column("attempts", Integer, nullable=False, server_default=text("0")),
        Column("last_error", Text),
        Column("not_before", DateTime(timezone=True)),
    )


def inbox_table(metadata: MetaData) -> Table:
    """Return the inbox: the messages that each consumer has applied, written in the transaction that applies them."""
    return Table(
        "inbox",
        metadata,
        Column("consumer", Text, primary_key=True),
        Column("event_id", Uuid, primary_key=True),
        Column("applied_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        Index("inbox_applied_at", "applied_at"),
    )


OUTBOX_CHANNEL = "outbox"
"""PostgreSQL notification for the relay; a trigger of the table, made by the migrations, sends it."""
