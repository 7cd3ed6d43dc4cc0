"""The tables of the ``analytics`` database: facts, projected from the events of the other services.

Enumerations are plain text and ids refer to nothing: the events are checked when they are read, and they arrive in any
order, so a lead or a call may be here before its campaign.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Index,
    Integer,
    MetaData,
    Numeric,
    SmallInteger,
    Table,
    Text,
)

from shared.messaging.tables import inbox_table

metadata = MetaData()

inbox = inbox_table(metadata)

campaigns = Table(
    "campaigns",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
    Column("company_id", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("priority", Text, nullable=False),
    Column("budget", Numeric),
    Column("cost_per_call", Numeric),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("deleted", Boolean, nullable=False),
    Index("campaigns_company", "company_id"),
    comment="Each campaign as it is now, the deleted ones too: their leads and calls stay.",
)

campaign_prices = Table(
    "campaign_prices",
    metadata,
    Column("campaign_id", BigInteger, primary_key=True, autoincrement=False),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("since", DateTime(timezone=True), nullable=False),
    Column("cost_per_call", Numeric),
    comment="What a call of a campaign cost by each of the campaign's versions, and since when.",
)

leads = Table(
    "leads",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
    Column("company_id", BigInteger, nullable=False),
    Column("campaign_id", BigInteger, nullable=False),
    Column("status", Text, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("source", Text),
    Column("lead_score", SmallInteger),
    Column("interest_level", Text),
    Column("assigned_to", BigInteger),
    Column("created_at", DateTime(timezone=True), nullable=False),
    # With the campaign, so that counting a company's leads need not read the rows.
    Index("leads_company", "company_id", "created_at", "campaign_id"),
    comment="Each lead as it is now.",
)

calls = Table(
    "calls",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("company_id", BigInteger, nullable=False),
    Column("campaign_id", BigInteger, nullable=False),
    Column("lead_id", BigInteger, nullable=False),
    Column("agent_id", BigInteger),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("duration", Integer, nullable=False, comment="Seconds."),
    Column("successful", Boolean, nullable=False),
    Column("reported_cost", Numeric, comment="What the report of the call said it cost."),
    Column("cost", Numeric, comment="The reported cost, else the campaign's price at the time; null while unknown."),
    Index("calls_company", "company_id", "started_at"),
    Index("calls_campaign", "campaign_id", "started_at"),
    comment="Call attempts. They never change, but for the cost, which may become known later.",
)
