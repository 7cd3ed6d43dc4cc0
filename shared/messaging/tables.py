"""The two tables every service's database has for its messages."""

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
    """Messages written in the transaction of the change they tell, until the broker has confirmed them.

    A row is the message's whole state: there is no mark of how far the relay got, because ids are not in the order
    of commits, and a transaction that commits late would be stepped over.
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
    """Which messages each consumer has applied: written in the transaction that applies them."""
    return Table(
        "inbox",
        metadata,
        Column("consumer", Text, primary_key=True),
        Column("event_id", Uuid, primary_key=True),
        Column("applied_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        Index("inbox_applied_at", "applied_at"),
    )


OUTBOX_CHANNEL = "outbox"
"""PostgreSQL notification that wakes the relay."""

MESSAGING_DDL = (
    # A list of leads becomes a fifth in a moment, and with it what is written of it to table and log.
    "ALTER TABLE outbox ALTER COLUMN body SET COMPRESSION lz4",
    # The notification is the table's own, so no writer can forget it; PostgreSQL sends one a transaction.
    f"""CREATE FUNCTION wake_outbox_relay() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_notify('{OUTBOX_CHANNEL}', ''); RETURN NULL; END $$""",
    """CREATE TRIGGER outbox_written AFTER INSERT ON outbox
    FOR EACH STATEMENT EXECUTE FUNCTION wake_outbox_relay()""",
)
"""What the declared tables cannot say; the first migration of each service runs it after creating them."""
