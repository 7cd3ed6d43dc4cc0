"""Changes of leads, their call attempts, the do-not-call lists, idempotency keys."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add columns to leads and to the copy of campaigns; create the new tables."""
    op.add_column("campaigns", sa.Column("retry_delay_minutes", sa.Integer(), server_default="60", nullable=False))
    op.add_column("campaigns", sa.Column("max_attempts_per_lead", sa.Integer(), server_default="3", nullable=False))
    op.add_column("leads", sa.Column("sub_status", sa.Text()))
    op.add_column("leads", sa.Column("attempts", sa.Integer(), server_default="0", nullable=False))
    op.add_column("leads", sa.Column("conversion_value", sa.Numeric(15, 2)))
    op.add_column("leads", sa.Column("converted_at", sa.DateTime(timezone=True)))
    op.create_index("leads_phone", "leads", ["company_id", "phone"])
    op.create_table(
        "call_attempts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
        sa.Column("lead_id", sa.BigInteger(), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("company_id", sa.BigInteger(), nullable=False),
        sa.Column("agent_id", sa.BigInteger()),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("duration", sa.Integer(), nullable=False, comment="Seconds."),
        sa.Column("disposition", sa.Text()),
        sa.Column("successful", sa.Boolean(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False, comment="What the lead became."),
        sa.Column("notes", sa.Text()),
        sa.Column("transcript", sa.Text()),
        sa.Column("keywords", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("cost", sa.Numeric(12, 4)),
        sa.Column("quality", postgresql.JSONB()),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        comment="Calls, as they were reported. They never change, and go with their lead.",
    )
    op.create_index("call_attempts_lead", "call_attempts", ["lead_id", "id"])
    op.create_table(
        "do_not_call",
        sa.Column("company_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("phone", sa.Text(), primary_key=True, comment="E.164."),
        sa.Column("reason", sa.Text()),
        sa.Column("added_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        comment="Numbers a company must not call. Leads with one of them are blacklisted.",
    )
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
    """Undo all of it."""
    op.drop_table("idempotency_keys")
    op.drop_table("do_not_call")
    op.drop_table("call_attempts")
    op.drop_index("leads_phone", "leads")
    for column in ("converted_at", "conversion_value", "attempts", "sub_status"):
        op.drop_column("leads", column)
    for column in ("max_attempts_per_lead", "retry_delay_minutes"):
        op.drop_column("campaigns", column)
