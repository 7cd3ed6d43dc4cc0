"""The tables of facts in the ``analytics`` database, projected from the events of the other services.

Enumerations are plain text and ids have no foreign keys: events are validated when they are read, and they arrive in
any order, so a lead or a call may be stored before its campaign. The facts of different events of a lead are in
different tables, each with its own rule for what is newer; the views ``lead_facts`` and ``call_facts``
(``facts/metric_definitions.sql``) join all facts of a lead and of a call. The tables of sums over them:
``rollups/rollup_tables.py``.
"""

from sqlalchemy import (
    ARRAY,
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
    Time,
    Uuid,
    false,
)

from shared.database.repeatable import repeatable_migrations_table
from shared.messaging.tables import inbox_table

metadata = MetaData()

inbox = inbox_table(metadata)
repeatable_migrations = repeatable_migrations_table(metadata)

rollup_state = Table(
    "rollup_state",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    comment="One row: the version of the definitions by which the roll-ups were summed.",
)

ledgers = Table(
    "ledgers",
    metadata,
    Column("company_id", BigInteger, primary_key=True, autoincrement=False),
    Column("mark", Uuid, nullable=False, comment="Replaced by every change of the company's facts."),
    comment="Marks by which a change of a company's facts is noticed.",
)

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
    Column("deleted", Boolean, nullable=False),
    Column("team_members", ARRAY(BigInteger), nullable=False),
    Index("campaigns_company", "company_id"),
    comment="Each campaign in its current state, deleted ones too: their leads and calls stay in reports.",
)

campaign_terms = Table(
    "campaign_terms",
    metadata,
    Column("campaign_id", BigInteger, primary_key=True, autoincrement=False),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("since", DateTime(timezone=True), nullable=False),
    Column("cost_per_call", Numeric),
    Column("calling_hours_start", Time, nullable=False),
    Column("calling_hours_end", Time, nullable=False, comment="An end before the start is on the next day."),
    Column("time_zone", Text, comment="Null if PostgreSQL does not know the time zone."),
    Column("working_days", ARRAY(SmallInteger), nullable=False, comment="ISO: Monday is 1."),
    comment="Price and calling hours that each version of a campaign sets for its calls, and since when.",
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
    Column("has_email", Boolean, nullable=False),
    Column("has_first_name", Boolean, nullable=False),
    Column("deleted", Boolean, nullable=False, server_default=false()),
    comment="Each lead in its current state.",
)

lead_assignments = Table(
    "lead_assignments",
    metadata,
    Column("lead_id", BigInteger, primary_key=True, autoincrement=False),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("at", DateTime(timezone=True), nullable=False),
    comment="When leads were assigned to an agent, or lost their agent.",
)

lead_conversions = Table(
    "lead_conversions",
    metadata,
    Column("lead_id", BigInteger, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
    Column("conversion_value", Numeric, nullable=False),
    Column("converted_at", DateTime(timezone=True), nullable=False),
    comment="The latest conversion of each lead.",
)

lead_contacts = Table(
    "lead_contacts",
    metadata,
    Column("lead_id", BigInteger, primary_key=True, autoincrement=False),
    Column("attempts", Integer, nullable=False),
    Column("first_call_at", DateTime(timezone=True), nullable=False),
    comment="Number of calls to each lead, and the start of the first.",
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
    Column("reported_cost", Numeric, comment="Cost that was reported with the call."),
    Column(
        "reported",
        Boolean,
        nullable=False,
        comment="Whether there is a quality report; scores are in thousandths.",
    ),
    Column("accuracy", Integer),
    Column("clarity", Integer),
    Column("engagement", Integer),
    Column("adherence", Integer),
    Column("sentiment", Integer),
    Column("satisfaction", Integer),
    Column("response", BigInteger),
    Column("score", Integer, comment="Score of the call: the mean of the first four scores, as far as reported."),
    Column("regulatory", Boolean),
    Column("data_protection", Boolean),
    Column("issues", ARRAY(Text), nullable=False, comment="Kinds of issues, each once."),
    Index("calls_campaign", "campaign_id", "started_at"),
    comment="Call attempts, as they were reported. They never change.",
)

campaign_words = Table(
    "campaign_words",
    metadata,
    Column("campaign_id", BigInteger, primary_key=True, autoincrement=False),
    Column("word", Text, primary_key=True),
    Column("calls", BigInteger, nullable=False),
    comment="Number of a campaign's calls in which a word occurs.",
)

members = Table(
    "members",
    metadata,
    Column("company_id", BigInteger, primary_key=True, autoincrement=False),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("deleted", Boolean, nullable=False),
    comment="The members of a company, deleted ones too, so that late events of deleted members are recognized.",
)
