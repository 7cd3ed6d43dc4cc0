"""Subscriptions, the events that are sent to them, and what became of each."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create every table."""
    _create_subscriptions()
    _create_deliveries()
    _create_keeping_once()


def _create_subscriptions() -> None:
    op.create_table(
        "subscriptions",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("company_id", sa.BigInteger, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("types", sa.ARRAY(sa.Text), nullable=False),
        sa.Column("description", sa.Text),
        sa.Column("state", sa.Enum("active", "paused", "disabled", name="subscription_state"), nullable=False),
        sa.Column("reason", sa.Text, comment="Why it is not active."),
        sa.Column("state_since", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("secret", sa.Text, nullable=False),
        sa.Column("previous_secret", sa.Text),
        sa.Column("previous_secret_until", sa.DateTime(timezone=True)),
        sa.Column(
            "failures",
            sa.Integer,
            nullable=False,
            server_default=sa.text("0"),
            comment="Attempts since the last success.",
        ),
        sa.Column(
            "failing_since",
            sa.DateTime(timezone=True),
            comment="Start of the first attempt after the last success.",
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    )
    op.create_index("subscriptions_company", "subscriptions", ["company_id", "id"])


def _create_deliveries() -> None:
    op.create_table(
        "events",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        comment="What is sent, once for all of a company's subscriptions. Deliveries and attempts go with it.",
    )
    op.create_index("events_received_at", "events", ["received_at"])
    op.execute("ALTER TABLE events ALTER COLUMN body SET COMPRESSION lz4")
    op.create_table(
        "deliveries",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column(
            "subscription_id", sa.BigInteger, sa.ForeignKey("subscriptions.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("event_id", sa.Uuid, sa.ForeignKey("events.id", ondelete="CASCADE"), nullable=False),
        sa.Column(
            "status",
            sa.Enum("pending", "delivered", "failed", name="delivery_status"),
            nullable=False,
            server_default=sa.text("'pending'"),
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("due_at", sa.DateTime(timezone=True), server_default=sa.func.now()),
        sa.Column("claimed_by", sa.Uuid),
        sa.Column(
            "tries", sa.Integer, nullable=False, server_default=sa.text("0"), comment="Attempts since trying_since."
        ),
        sa.Column(
            "trying_since",
            sa.DateTime(timezone=True),
            comment="Start of its first attempt, since it was last sent anew.",
        ),
        sa.UniqueConstraint("subscription_id", "event_id", name="deliveries_once"),
    )
    op.create_index(
        "deliveries_due",
        "deliveries",
        ["subscription_id", "due_at", "id"],
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_index(
        "deliveries_claimed", "deliveries", ["subscription_id"], postgresql_where=sa.text("claimed_by IS NOT NULL")
    )
    op.create_index("deliveries_log", "deliveries", ["subscription_id", "id"])
    op.create_index("deliveries_event", "deliveries", ["event_id"])
    op.create_table(
        "attempts",
        sa.Column("delivery_id", sa.BigInteger, sa.ForeignKey("deliveries.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("milliseconds", sa.Integer, nullable=False),
        sa.Column("http_status", sa.SmallInteger),
        sa.Column("error", sa.Text, comment="Why there is no HTTP status, or what is wrong with it."),
    )


def _create_keeping_once() -> None:
    op.create_table(
        "inbox",
        sa.Column("consumer", sa.Text, primary_key=True),
        sa.Column("event_id", sa.Uuid, primary_key=True),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    )
    op.create_index("inbox_applied_at", "inbox", ["applied_at"])
    op.create_table(
        "idempotency_keys",
        sa.Column("subject", sa.Text, primary_key=True, comment="The caller."),
        sa.Column("operation", sa.Text, primary_key=True, comment="Method and path."),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("fingerprint", sa.LargeBinary, nullable=False, comment="Of what was sent."),
        sa.Column("status", sa.SmallInteger, nullable=False),
        sa.Column("headers", postgresql.JSONB, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    )
    op.create_index("idempotency_keys_created_at", "idempotency_keys", ["created_at"])


def downgrade() -> None:
    """Drop every table."""
    for table in ("idempotency_keys", "inbox", "attempts", "deliveries", "events", "subscriptions"):
        op.drop_table(table)
    op.execute("DROP TYPE delivery_status")
    op.execute("DROP TYPE subscription_state")
