"""The tables of database ``campaigns``."""

from typing import Final, get_args

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    Date,
    DateTime,
    Enum,
    Identity,
    Index,
    Integer,
    MetaData,
    Numeric,
    Table,
    Text,
    Time,
    func,
    literal_column,
    text,
)

from shared.database.idempotency_keys import idempotency_keys_table
from shared.events.campaigns import CampaignPriority, CampaignStatus
from shared.messaging.tables import inbox_table, outbox_table

metadata = MetaData()

# Values sort as they are declared: by the lifecycle, and from low to high.
_STATUS: Final = Enum(*get_args(CampaignStatus), name="campaign_status", metadata=metadata)
_PRIORITY: Final = Enum(*get_args(CampaignPriority), name="campaign_priority", metadata=metadata)

campaigns = Table(
    "campaigns",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    # Increases with every change: the order in which consumers apply events.
    Column("version", Integer, nullable=False, server_default=text("1")),
    Column("company_id", BigInteger, nullable=False),
    # Sorted as people sort names, independent of the server's locale.
    Column("name", Text(collation="und-x-icu"), nullable=False),
    Column("description", Text),
    Column("status", _STATUS, nullable=False),
    Column("priority", _PRIORITY, nullable=False),
    Column("campaign_type", Text, nullable=False),
    Column("calls_per_day", Integer, nullable=False),
    # Local times in time_zone; an end before the start is on the next day.
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
    Column("deleted_at", DateTime(timezone=True), comment="When the campaign was deleted; null for one that exists."),
)

_NOT_DELETED = campaigns.c.deleted_at.is_(None)
# One index per sort order of the lists, so that the cost of a page does not depend on the number of campaigns.
Index("campaigns_company", campaigns.c.company_id, campaigns.c.id, postgresql_where=_NOT_DELETED)
Index(
    "campaigns_created_at",
    campaigns.c.company_id,
    campaigns.c.created_at,
    campaigns.c.id,
    postgresql_where=_NOT_DELETED,
)
Index(
    "campaigns_name",
    campaigns.c.company_id,
    campaigns.c.name,
    campaigns.c.created_at,
    campaigns.c.id,
    postgresql_where=_NOT_DELETED,
)
Index(
    "campaigns_status",
    campaigns.c.company_id,
    campaigns.c.status,
    campaigns.c.created_at,
    campaigns.c.id,
    postgresql_where=_NOT_DELETED,
)
Index(
    "campaigns_priority",
    campaigns.c.company_id,
    campaigns.c.priority,
    campaigns.c.created_at,
    campaigns.c.id,
    postgresql_where=_NOT_DELETED,
)
Index(
    "campaigns_search",
    campaigns.c.name.op("||")(literal_column("' '"))
    .op("||")(func.coalesce(campaigns.c.description, literal_column("''")))
    .label("searched"),
    postgresql_using="gin",
    postgresql_ops={"searched": "gin_trgm_ops"},
    postgresql_where=_NOT_DELETED,
)

campaign_counts = Table(
    "campaign_counts",
    metadata,
    Column("company_id", BigInteger, primary_key=True, autoincrement=False),
    Column("status", _STATUS, primary_key=True),
    Column("priority", _PRIORITY, primary_key=True),
    Column("campaigns", BigInteger, nullable=False),
    comment="Number of campaigns that are not deleted. A trigger maintains it, so that no list counts them.",
)

campaign_totals = Table(
    "campaign_totals",
    metadata,
    Column("campaign_id", BigInteger, primary_key=True, autoincrement=False),
    Column("leads", BigInteger, nullable=False),
    Column("calls", BigInteger, nullable=False),
    Column("successful_calls", BigInteger, nullable=False),
    comment="Totals of each campaign, summed from lead events.",
)

campaign_calls = Table(
    "campaign_calls",
    metadata,
    Column("campaign_id", BigInteger, primary_key=True, autoincrement=False),
    Column("quarter", DateTime(timezone=True), primary_key=True),
    Column("calls", BigInteger, nullable=False),
    comment="Calls that started in each quarter of an hour, which add up to the day of any time zone.",
)

members = Table(
    "members",
    metadata,
    Column("company_id", BigInteger, primary_key=True, autoincrement=False),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    # As in campaigns. It continues when a deleted member is created again.
    Column("version", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("deleted_at", DateTime(timezone=True), comment="When the member was deleted; null for one that exists."),
    comment="The members of each company, by the ids to which campaigns, leads and calls refer.",
)

outbox = outbox_table(metadata)
inbox = inbox_table(metadata)
idempotency_keys = idempotency_keys_table(metadata)
