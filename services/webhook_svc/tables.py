"""The tables of database ``webhooks``."""

from typing import Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    ColumnElement,
    DateTime,
    Enum,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    or_,
    text,
)

from services.webhook_svc.domain.delivery_status import STORED_STATUSES
from services.webhook_svc.domain.subscription_state import SubscriptionStatus
from shared.database.idempotency_keys import idempotency_keys_table
from shared.messaging.tables import inbox_table

metadata = MetaData()

_STATE: Final = Enum(*(status.value for status in SubscriptionStatus), name="subscription_state", metadata=metadata)
_STATUS: Final = Enum(*(status.value for status in STORED_STATUSES), name="delivery_status", metadata=metadata)

subscriptions = Table(
    "subscriptions",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("company_id", BigInteger, nullable=False),
    Column("url", Text, nullable=False),
    Column("types", ARRAY(Text), nullable=False),
    Column("description", Text),
    Column("state", _STATE, nullable=False),
    Column("reason", Text, comment="Why it is not active."),
    Column("state_since", DateTime(timezone=True), nullable=False, server_default=func.now()),
    # Secrets are stored as they are published: a signature needs the key itself, so a hash would not do.
    Column("secret", Text, nullable=False),
    Column("previous_secret", Text),
    Column("previous_secret_until", DateTime(timezone=True)),
    Column("failures", Integer, nullable=False, server_default=text("0"), comment="Attempts since the last success."),
    Column("failing_since", DateTime(timezone=True), comment="Start of the first attempt after the last success."),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)
Index("subscriptions_company", subscriptions.c.company_id, subscriptions.c.id)

events = Table(
    "events",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("type", Text, nullable=False),
    # The first migration sets its compression to lz4: lists of leads shrink to a fifth in a moment.
    Column("body", LargeBinary, nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    comment="What is sent, once for all of a company's subscriptions. Deliveries and attempts go with it.",
)
Index("events_received_at", events.c.received_at)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("subscription_id", BigInteger, ForeignKey(subscriptions.c.id, ondelete="CASCADE"), nullable=False),
    Column("event_id", Uuid, ForeignKey(events.c.id, ondelete="CASCADE"), nullable=False),
    Column("status", _STATUS, nullable=False, server_default=text("'pending'")),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    # While claimed_by is set, the end of the lease: a process that died leaves a row that becomes due by itself.
    Column("due_at", DateTime(timezone=True), server_default=func.now()),
    Column("claimed_by", Uuid),
    Column("tries", Integer, nullable=False, server_default=text("0"), comment="Attempts since trying_since."),
    Column("trying_since", DateTime(timezone=True), comment="Start of the first attempt since the last redelivery."),
    UniqueConstraint("subscription_id", "event_id", name="deliveries_once"),
)
_PENDING = deliveries.c.status == text("'pending'")
Index("deliveries_due", deliveries.c.subscription_id, deliveries.c.due_at, deliveries.c.id, postgresql_where=_PENDING)
Index("deliveries_claimed", deliveries.c.subscription_id, postgresql_where=deliveries.c.claimed_by.is_not(None))
Index("deliveries_log", deliveries.c.subscription_id, deliveries.c.id)
Index("deliveries_event", deliveries.c.event_id)

attempts = Table(
    "attempts",
    metadata,
    Column("delivery_id", BigInteger, ForeignKey(deliveries.c.id, ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("milliseconds", Integer, nullable=False),
    Column("http_status", SmallInteger),
    Column("error", Text, comment="Why there is no HTTP status, or what is wrong with it."),
)

inbox = inbox_table(metadata)
idempotency_keys = idempotency_keys_table(metadata)


def is_unclaimed() -> ColumnElement[bool]:
    """Return the condition that no process is sending a delivery: it is not claimed, or its lease has ended."""
    return or_(deliveries.c.claimed_by.is_(None), deliveries.c.due_at <= func.now())
