"""The tables of database ``campaigns``."""

from collections.abc import Sequence
from typing import get_args

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Identity,
    Index,
    Integer,
    MetaData,
    Numeric,
    Table,
    Text,
    Time,
    func,
    text,
)

from services.campaign_svc.campaigns.fields import Priority
from shared.events.campaigns import CampaignStatus
from shared.messaging.tables import inbox_table, outbox_table

metadata = MetaData()


def _one_of(column: str, values: Sequence[str]) -> CheckConstraint:
    allowed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({allowed})", name=f"campaigns_{column}")


campaigns = Table(
    "campaigns",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    # Grows with every change: the order in which readers of events apply them.
    Column("version", Integer, nullable=False, server_default=text("1")),
    Column("company_id", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text),
    Column("status", Text, nullable=False),
    Column("priority", Text, nullable=False),
    Column("campaign_type", Text, nullable=False),
    Column("calls_per_day", Integer, nullable=False),
    # Local times of time_zone; an end before the start is on the next day.
    Column("calling_hours_start", Time, nullable=False),
    Column("calling_hours_end", Time, nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("working_days", ARRAY(Text), nullable=False),
    Column("ai_voice_id", Text),
    Column("ai_voice_language", Text, nullable=False),
    Column("ai_voice_gender", Text),
    Column("system_prompt", Text, nullable=False),
    Column("script_template", Text, nullable=False),
    Column("fallback_script", Text),
    Column("max_attempts_per_lead", Integer, nullable=False),
    Column("retry_delay_minutes", Integer, nullable=False),
    Column("call_duration_limit", Integer),
    Column("success_criteria", Text),
    Column("expected_completion_date", Date),
    Column("budget", Numeric(12, 2)),
    Column("cost_per_call", Numeric(12, 2)),
    Column("owner_id", BigInteger),
    Column("team_members", ARRAY(BigInteger), nullable=False),
    Column("tags", ARRAY(Text), nullable=False),
    Column("notes", Text),
    Column("start_date", DateTime(timezone=True)),
    Column("end_date", DateTime(timezone=True)),
    Column("recurrence_rule", Text),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    _one_of("status", get_args(CampaignStatus)),
    _one_of("priority", get_args(Priority)),
    Index("campaigns_company_id", "company_id", "id"),
    Index("campaigns_company_status", "company_id", "status", "id"),
)

outbox = outbox_table(metadata)
inbox = inbox_table(metadata)
