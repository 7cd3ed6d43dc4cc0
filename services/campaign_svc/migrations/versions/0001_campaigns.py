"""Campaigns, and the tables of their messages."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create every table."""
    op.create_table(
        "campaigns",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("version", sa.Integer, nullable=False, server_default=sa.text("1")),
        sa.Column("company_id", sa.BigInteger, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("description", sa.Text),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("priority", sa.Text, nullable=False),
        sa.Column("campaign_type", sa.Text, nullable=False),
        sa.Column("calls_per_day", sa.Integer, nullable=False),
        sa.Column("calling_hours_start", sa.Time, nullable=False),
        sa.Column("calling_hours_end", sa.Time, nullable=False),
        sa.Column("time_zone", sa.Text, nullable=False),
        sa.Column("working_days", sa.ARRAY(sa.Text), nullable=False),
        sa.Column("ai_voice_id", sa.Text),
        sa.Column("ai_voice_language", sa.Text, nullable=False),
        sa.Column("ai_voice_gender", sa.Text),
        sa.Column("system_prompt", sa.Text, nullable=False),
        sa.Column("script_template", sa.Text, nullable=False),
        sa.Column("fallback_script", sa.Text),
        sa.Column("max_attempts_per_lead", sa.Integer, nullable=False),
        sa.Column("retry_delay_minutes", sa.Integer, nullable=False),
        sa.Column("call_duration_limit", sa.Integer),
        sa.Column("success_criteria", sa.Text),
        sa.Column("expected_completion_date", sa.Date),
        sa.Column("budget", sa.Numeric(12, 2)),
        sa.Column("cost_per_call", sa.Numeric(12, 2)),
        sa.Column("owner_id", sa.BigInteger),
        sa.Column("team_members", sa.ARRAY(sa.BigInteger), nullable=False),
        sa.Column("tags", sa.ARRAY(sa.Text), nullable=False),
        sa.Column("notes", sa.Text),
        sa.Column("start_date", sa.DateTime(timezone=True)),
        sa.Column("end_date", sa.DateTime(timezone=True)),
        sa.Column("recurrence_rule", sa.Text),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.CheckConstraint("status IN ('draft', 'active', 'paused', 'completed')", name="campaigns_status"),
        sa.CheckConstraint("priority IN ('low', 'medium', 'high')", name="campaigns_priority"),
    )
    op.create_index("campaigns_company_id", "campaigns", ["company_id", "id"])
    op.create_index("campaigns_company_status", "campaigns", ["company_id", "status", "id"])
    _create_messaging()


def _create_messaging() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("event_id", sa.Uuid, nullable=False),
        sa.Column("exchange", sa.Text, nullable=False),
        sa.Column("routing_key", sa.Text, nullable=False),
        sa.Column("company_id", sa.BigInteger, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("attempts", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("last_error", sa.Text),
        sa.Column("not_before", sa.DateTime(timezone=True)),
    )
    op.create_table(
        "inbox",
        sa.Column("consumer", sa.Text, primary_key=True),
        sa.Column("event_id", sa.Uuid, primary_key=True),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    )
    op.create_index("inbox_applied_at", "inbox", ["applied_at"])
    op.execute("ALTER TABLE outbox ALTER COLUMN body SET COMPRESSION lz4")
    op.execute(
        """CREATE FUNCTION wake_outbox_relay() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_notify('outbox', ''); RETURN NULL; END $$"""
    )
    op.execute(
        """CREATE TRIGGER outbox_written AFTER INSERT ON outbox
        FOR EACH STATEMENT EXECUTE FUNCTION wake_outbox_relay()"""
    )


def downgrade() -> None:
    """Drop every table."""
    op.drop_table("inbox")
    op.drop_table("outbox")
    op.execute("DROP FUNCTION wake_outbox_relay()")
    op.drop_table("campaigns")
