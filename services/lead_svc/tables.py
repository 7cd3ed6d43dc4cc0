"""The tables of the ``leads`` database."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    SmallInteger,
    Table,
    Text,
    Time,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from shared.database.idempotency_keys import idempotency_keys_table
from shared.messaging.tables import inbox_table, outbox_table

metadata = MetaData()

outbox = outbox_table(metadata)
inbox = inbox_table(metadata)
idempotency_keys = idempotency_keys_table(metadata)

campaigns = Table(
    "campaigns",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("company_id", BigInteger, nullable=False),
    Column("status", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("deleted", Boolean, nullable=False, server_default=text("false")),
    Column("retry_delay_minutes", Integer, nullable=False, server_default=text("60")),
    Column("max_attempts_per_lead", Integer, nullable=False, server_default=text("3")),
    Column("time_zone", Text, nullable=False, server_default=text("'UTC'")),
    comment="Copy of the campaigns of campaign_svc, updated by its events: the fields that leads need.",
)

leads = Table(
    "leads",
    metadata,
    # By default, not always: an import takes its ids from the sequence and writes them itself.
    Column("id", BigInteger, Identity(always=False), primary_key=True),
    Column("company_id", BigInteger, nullable=False),
    Column("campaign_id", BigInteger, nullable=False),
    Column("first_name", Text),
    Column("last_name", Text),
    Column("phone", Text, nullable=False),
    Column("alternate_phone", Text),
    Column("email", Text),
    Column("company_name", Text),
    Column("job_title", Text),
    Column("industry", Text),
    Column("status", Text, nullable=False),
    Column("sub_status", Text),
    Column("priority", SmallInteger, nullable=False),
    Column("best_time_to_call", Time),
    Column("timezone", Text, nullable=False),
    Column("preferred_language", Text, nullable=False),
    Column("country", Text),
    Column("state", Text),
    Column("city", Text),
    Column("address", Text),
    Column("postal_code", Text),
    Column("source", Text),
    Column("source_details", Text),
    Column("annual_revenue", Numeric(15, 2)),
    Column("company_size", Text),
    Column("lead_score", SmallInteger),
    Column("interest_level", Text),
    Column("pain_points", JSONB),
    Column("requirements", JSONB),
    Column("custom_fields", JSONB, nullable=False, server_default=text("'{}'")),
    Column("assigned_to", BigInteger),
    Column("notes", Text),
    Column("last_contact_date", DateTime(timezone=True)),
    Column("next_contact_date", DateTime(timezone=True)),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("conversion_value", Numeric(15, 2)),
    Column("converted_at", DateTime(timezone=True)),
    Column("import_id", BigInteger),
    Column("version", Integer, nullable=False, server_default=text("1")),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    CheckConstraint(
        "status IN ('pending', 'in_progress', 'completed', 'failed', 'scheduled', 'blacklisted')", name="leads_status"
    ),
    CheckConstraint("priority BETWEEN 1 AND 5", name="leads_priority"),
    CheckConstraint("lead_score BETWEEN 0 AND 100", name="leads_lead_score"),
    Index("leads_company", "company_id", "id"),
    Index("leads_campaign", "campaign_id", "id"),
    Index("leads_phone", "company_id", "phone"),
)

call_attempts = Table(
    "call_attempts",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("lead_id", BigInteger, nullable=False),
    Column("campaign_id", BigInteger, nullable=False),
    Column("company_id", BigInteger, nullable=False),
    Column("agent_id", BigInteger),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("duration", Integer, nullable=False, comment="Seconds."),
    Column("disposition", Text),
    Column("successful", Boolean, nullable=False),
    Column("status", Text, nullable=False, comment="What the lead became."),
    Column("notes", Text),
    Column("transcript", Text),
    Column("keywords", JSONB, nullable=False, server_default=text("'[]'")),
    Column("cost", Numeric(12, 4)),
    Column("quality", JSONB),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Index("call_attempts_lead", "lead_id", "id"),
    comment="Calls, as they were reported. They never change, and go with their lead.",
)

do_not_call = Table(
    "do_not_call",
    metadata,
    Column("company_id", BigInteger, primary_key=True, autoincrement=False),
    Column("phone", Text, primary_key=True, comment="E.164."),
    Column("reason", Text),
    Column("added_by", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    comment="Numbers a company must not call. Leads with one of them are blacklisted.",
)

imports = Table(
    "imports",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("company_id", BigInteger, nullable=False),
    Column("campaign_id", BigInteger, nullable=False),
    Column("requested_by", Text, nullable=False),
    Column("filename", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("default_values", JSONB, nullable=False),
    Column("row_limit", Integer),
    Column("column_map", JSONB, nullable=False, server_default=text("'{}'")),
    Column("on_error", Text, nullable=False, server_default=text("'abort'")),
    Column("on_duplicate", Text, nullable=False, server_default=text("'create'")),
    Column("dry_run", Boolean, nullable=False, server_default=text("false")),
    Column("status", Text, nullable=False, server_default=text("'queued'")),
    Column("row_count", Integer),
    Column("imported_count", Integer, nullable=False, server_default=text("0")),
    Column("updated_count", Integer, nullable=False, server_default=text("0")),
    Column("skipped_count", Integer, nullable=False, server_default=text("0")),
    Column("first_lead_id", BigInteger),
    Column("last_lead_id", BigInteger),
    Column("error", Text),
    Column("error_count", Integer, nullable=False, server_default=text("0")),
    Column("errors", JSONB, nullable=False, server_default=text("'[]'")),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("started_at", DateTime(timezone=True)),
    Column("finished_at", DateTime(timezone=True)),
    Column("undone_at", DateTime(timezone=True)),
    CheckConstraint("status IN ('queued', 'completed', 'failed', 'aborted', 'undone')", name="imports_status"),
    CheckConstraint("on_error IN ('abort', 'skip')", name="imports_on_error"),
    CheckConstraint("on_duplicate IN ('create', 'skip', 'update', 'error')", name="imports_on_duplicate"),
    Index("imports_company", "company_id", "id"),
    comment="Import jobs. A job that is being worked on is still 'queued' here: its end is written with its leads.",
)

import_files = Table(
    "import_files",
    metadata,
    Column("import_id", BigInteger, primary_key=True, autoincrement=False),
    Column("content", LargeBinary, nullable=False),
    comment="The bytes of a job's file, from the request to the job's end.",
)

import_failed_rows = Table(
    "import_failed_rows",
    metadata,
    Column("import_id", BigInteger, primary_key=True, autoincrement=False),
    Column("content", LargeBinary, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    comment="The rows of a file that were not imported, each with its errors, as CSV, for a week.",
)
