"""Deletion, lists that cost the same at any size, totals of leads and calls, idempotency keys."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"

_STATUS = postgresql.ENUM("draft", "active", "paused", "completed", name="campaign_status", create_type=False)
_PRIORITY = postgresql.ENUM("low", "medium", "high", name="campaign_priority", create_type=False)
_THERE = sa.text("deleted_at IS NULL")


def upgrade() -> None:
    """Change ``campaigns``; create what lists and repeated requests stand on, and count what is there."""
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    op.drop_index("campaigns_company_id", "campaigns")
    op.drop_index("campaigns_company_status", "campaigns")
    for enum, column in ((_STATUS, "status"), (_PRIORITY, "priority")):
        enum.create(op.get_bind())
        op.drop_constraint(f"campaigns_{column}", "campaigns")
        op.alter_column("campaigns", column, type_=enum, postgresql_using=f"{column}::{enum.name}")
    op.alter_column("campaigns", "name", type_=sa.Text(collation="und-x-icu"))
    op.add_column(
        "campaigns",
        sa.Column("deleted_at", sa.DateTime(timezone=True), comment="Of a deleted campaign, which no list shows."),
    )
    _create_indexes()
    _create_counts()
    _create_totals()
    _create_idempotency_keys()


def _create_indexes() -> None:
    order = ["created_at", "id"]
    for name, columns in (
        ("campaigns_company", ["id"]),
        ("campaigns_created_at", order),
        ("campaigns_name", ["name", *order]),
        ("campaigns_status", ["status", *order]),
        ("campaigns_priority", ["priority", *order]),
    ):
        op.create_index(name, "campaigns", ["company_id", *columns], postgresql_where=_THERE)
    op.create_index(
        "campaigns_search",
        "campaigns",
        [sa.text("(name || ' ' || coalesce(description, '')) gin_trgm_ops")],
        postgresql_using="gin",
        postgresql_where=_THERE,
    )


def _create_counts() -> None:
    op.create_table(
        "campaign_counts",
        sa.Column("company_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("status", _STATUS, primary_key=True),
        sa.Column("priority", _PRIORITY, primary_key=True),
        sa.Column("campaigns", sa.BigInteger, nullable=False),
        comment="How many campaigns a company has that are not deleted. Kept by triggers, so that no list counts them.",
    )
    op.execute(
        """INSERT INTO campaign_counts
        SELECT company_id, status, priority, count(*) FROM campaigns GROUP BY company_id, status, priority"""
    )
    op.execute(
        """CREATE FUNCTION count_campaign() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO campaign_counts AS counted (company_id, status, priority, campaigns)
            SELECT company_id, status, priority, sum(change)
            FROM (VALUES (OLD.company_id, OLD.status, OLD.priority, OLD.deleted_at, -1),
                         (NEW.company_id, NEW.status, NEW.priority, NEW.deleted_at, 1))
                AS changes (company_id, status, priority, deleted_at, change)
            WHERE company_id IS NOT NULL AND deleted_at IS NULL
            GROUP BY company_id, status, priority HAVING sum(change) <> 0
            ORDER BY company_id, status, priority
            ON CONFLICT (company_id, status, priority) DO UPDATE SET campaigns = counted.campaigns + excluded.campaigns;
            RETURN NULL;
        END $$"""
    )
    op.execute(
        """CREATE TRIGGER campaign_counted
        AFTER INSERT OR DELETE OR UPDATE OF company_id, status, priority, deleted_at ON campaigns
        FOR EACH ROW EXECUTE FUNCTION count_campaign()"""
    )


def _create_totals() -> None:
    op.create_table(
        "campaign_totals",
        sa.Column("campaign_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("leads", sa.BigInteger, nullable=False),
        sa.Column("calls", sa.BigInteger, nullable=False),
        sa.Column("successful_calls", sa.BigInteger, nullable=False),
        comment="What lead events say of each campaign.",
    )
    op.create_table(
        "campaign_calls",
        sa.Column("campaign_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("quarter", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("calls", sa.BigInteger, nullable=False),
        comment="Calls that started in each quarter of an hour, from which the day of any time zone can be cut.",
    )


def _create_idempotency_keys() -> None:
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
    """Undo all of it; deleted campaigns are deleted for good, as nothing would hide them any more."""
    op.drop_table("idempotency_keys")
    op.drop_table("campaign_calls")
    op.drop_table("campaign_totals")
    op.execute("DROP TRIGGER campaign_counted ON campaigns")
    op.execute("DROP FUNCTION count_campaign()")
    op.drop_table("campaign_counts")
    for name in ("company", "created_at", "name", "status", "priority", "search"):
        op.drop_index(f"campaigns_{name}", "campaigns")
    op.execute("DELETE FROM campaigns WHERE deleted_at IS NOT NULL")
    op.drop_column("campaigns", "deleted_at")
    op.alter_column("campaigns", "name", type_=sa.Text(collation="default"))
    for enum, column in ((_STATUS, "status"), (_PRIORITY, "priority")):
        op.alter_column("campaigns", column, type_=sa.Text, postgresql_using=f"{column}::text")
        values = ", ".join(f"'{value}'" for value in enum.enums)
        op.create_check_constraint(f"campaigns_{column}", "campaigns", f"{column} IN ({values})")
        enum.drop(op.get_bind())
    op.create_index("campaigns_company_id", "campaigns", ["company_id", "id"])
    op.create_index("campaigns_company_status", "campaigns", ["company_id", "status", "id"])
    op.execute("DROP EXTENSION pg_trgm")
