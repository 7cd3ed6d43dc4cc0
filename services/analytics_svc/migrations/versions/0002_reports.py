"""What every report needs of the facts, and the sums that reports are cut from.

The facts that were kept so far lack what the new ones hold, and go: ``python -m services.analytics_svc rebuild`` makes
all of it from the history of events. It must run once after this revision.

Revision ID: 0002
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

CALL_FACTS = """
    CREATE VIEW call_facts AS
    SELECT
        calls.*,
        coalesce(reported_cost, terms.cost_per_call) AS cost,
        hours.within_hours,
        CASE
            WHEN coalesce(within_hours, regulatory, data_protection) IS NOT NULL
            THEN coalesce(within_hours, true) AND coalesce(regulatory, true) AND coalesce(data_protection, true)
        END AS compliant
    FROM calls
    LEFT JOIN LATERAL (
        SELECT * FROM campaign_terms
        WHERE campaign_terms.campaign_id = calls.campaign_id AND since <= started_at
        ORDER BY version DESC LIMIT 1
    ) AS terms ON true
    CROSS JOIN LATERAL (SELECT started_at AT TIME ZONE terms.time_zone AS moment) AS local
    CROSS JOIN LATERAL (
        SELECT
            CAST(moment AS time) AS clock,
            extract(isodow FROM moment) = ANY(working_days) AS works,
            extract(isodow FROM moment - interval '1 day') = ANY(working_days) AS worked_yesterday
    ) AS day
    CROSS JOIN LATERAL (
        SELECT CASE
            WHEN calling_hours_start < calling_hours_end
            THEN works AND clock >= calling_hours_start AND clock < calling_hours_end
            ELSE (works AND clock >= calling_hours_start) OR (worked_yesterday AND clock < calling_hours_end)
        END AS within_hours
    ) AS hours
"""
LEAD_FACTS = """
    CREATE VIEW lead_facts AS
    SELECT
        leads.id, company_id, campaign_id, assigned_to AS agent_id, source, status, priority, lead_score,
        interest_level, has_email, has_first_name, created_at,
        coalesce(attempts, 0) AS attempts,
        CAST(floor(extract(epoch FROM greatest(
            first_call_at - coalesce(given.at, created_at), CASE WHEN first_call_at IS NOT NULL THEN interval '0' END
        ))) AS bigint) AS response_seconds,
        converted_at, conversion_value,
        converted, contacted, qualified,
        qualified AND NOT converted AND status IN ('pending', 'in_progress', 'scheduled') AS promising
    FROM leads
    LEFT JOIN lead_contacts ON lead_contacts.lead_id = leads.id
    LEFT JOIN lead_conversions ON lead_conversions.lead_id = leads.id
    LEFT JOIN LATERAL (
        SELECT max(at) AS at FROM lead_assignments WHERE lead_assignments.lead_id = leads.id AND at <= first_call_at
    ) AS given ON true
    CROSS JOIN LATERAL (SELECT converted_at IS NOT NULL AS converted) AS end_of_funnel
    CROSS JOIN LATERAL (SELECT converted OR first_call_at IS NOT NULL AS contacted) AS reached
    CROSS JOIN LATERAL (
        SELECT contacted AND (
            converted OR coalesce(lead_score >= 60, false) OR coalesce(interest_level = 'high', false)
        ) AS qualified
    ) AS judged
    WHERE NOT deleted
"""
KNOWN_TIME_ZONE = """
    CREATE FUNCTION known_time_zone(zone text) RETURNS text LANGUAGE plpgsql STABLE AS $$
    BEGIN
        PERFORM now() AT TIME ZONE zone;
        RETURN zone;
    EXCEPTION WHEN invalid_parameter_value THEN
        RETURN NULL;
    END $$
"""
STOP_WORDS = ("english", "spanish", "french", "german", "portuguese", "italian", "dutch")
SCORES = ("accuracy", "clarity", "engagement", "adherence", "sentiment", "satisfaction")
WORDS = ("asciiword", "word", "hword_asciipart", "hword_part")
CALLS = (
    "calls successful duration costed reported issues accuracy accuracy_known clarity clarity_known engagement "
    "engagement_known adherence adherence_known sentiment sentiment_known satisfaction satisfaction_known response "
    "response_known score score_known positive negative within_hours within_hours_known compliant compliant_known "
    "regulatory regulatory_known data_protection data_protection_known"
)
CALL_COSTS = "cost successful_cost"
FUNNEL = "leads contacted qualified promising converted"
RESPONSES = "response response_known"
LEAD_SCORES = "score score_known"
BANDS = "excellent good fair poor"
DISTRIBUTION = (
    "status_pending status_in_progress status_completed status_failed status_scheduled status_blacklisted "
    "priority_high priority_medium priority_low"
)
COMPLETENESS = " ".join(
    f"with_{name} with_{name}_converted"
    for name in ("email", "first_name", "source", "score", "interest", "call", "agent")
)
FACTORS = ("response_minutes", "lead_score", "attempts", "priority", "interest")
CORRELATIONS = " ".join(f"{factor}_n {factor}_x {factor}_y {factor}_xy" for factor in FACTORS)
SQUARES = " ".join(f"{factor}_xx" for factor in FACTORS)
SUMS = {
    "calls_by_agent_and_quarter": ("campaign_id agent_id", CALLS, CALL_COSTS),
    "calls_by_quarter": ("", CALLS, CALL_COSTS),
    "calls_by_agent_and_day": ("agent_id", "calls successful duration", ""),
    "calls_by_campaign_and_day": ("campaign_id", CALLS, CALL_COSTS),
    "issues_by_campaign_and_quarter": ("campaign_id issue", "calls", ""),
    "issues_by_campaign_and_day": ("campaign_id issue", "calls", ""),
    "leads_by_source_agent_and_quarter": (
        "campaign_id source agent_id",
        f"{FUNNEL} {RESPONSES} {LEAD_SCORES} {BANDS} {DISTRIBUTION} {COMPLETENESS} {CORRELATIONS}",
        f"value {SQUARES}",
    ),
    "leads_by_quarter": ("", "leads converted", "value"),
    "leads_by_agent_and_day": ("agent_id", f"{FUNNEL} {RESPONSES} {DISTRIBUTION}", "value"),
    "leads_by_source_and_day": ("source", f"leads converted {LEAD_SCORES}", "value"),
    "leads_by_campaign_source_and_day": ("campaign_id source", f"leads converted {LEAD_SCORES}", "value"),
    "leads_by_campaign_and_day": (
        "campaign_id",
        f"{FUNNEL} {LEAD_SCORES} {BANDS} {DISTRIBUTION} {COMPLETENESS} {CORRELATIONS}",
        f"value {SQUARES}",
    ),
    "conversions_by_campaign_and_quarter": ("campaign_id", "converted", "value"),
    "conversions_by_campaign_and_day": ("campaign_id", "converted", "value"),
}
"""The dimensions of each table of sums, its counts, and its sums of money and squares."""


def upgrade() -> None:
    """Empty the tables of facts, give them their new columns, and create the views over them and the sums."""
    op.execute("TRUNCATE calls, leads, campaign_prices, campaigns, inbox")
    _change_campaigns()
    _change_leads()
    _change_calls()
    op.create_table(
        "members",
        sa.Column("company_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("deleted", sa.Boolean, nullable=False),
        comment="The people of a company, the deleted ones too, so that late news of them are known as such.",
    )
    op.create_table(
        "ledgers",
        sa.Column("company_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("mark", sa.Uuid, nullable=False, comment="Another one after every change of the company's facts."),
        comment="Tells whether a company's facts have changed.",
    )
    for statement in (KNOWN_TIME_ZONE, CALL_FACTS, LEAD_FACTS):
        op.execute(statement)
    _create_words()
    for name, (dimensions, counts, amounts) in SUMS.items():
        _create_sums(name, dimensions.split(), counts.split(), amounts.split())


def _change_campaigns() -> None:
    op.drop_column("campaigns", "created_at")
    op.add_column("campaigns", sa.Column("team_members", ARRAY(sa.BigInteger), nullable=False))
    op.rename_table("campaign_prices", "campaign_terms")
    op.execute("ALTER INDEX campaign_prices_pkey RENAME TO campaign_terms_pkey")
    columns: list[sa.Column[Any]] = [
        sa.Column("calling_hours_start", sa.Time, nullable=False),
        sa.Column("calling_hours_end", sa.Time, nullable=False, comment="Before the start, it is on the next day."),
        sa.Column("time_zone", sa.Text, comment="Null when the database does not know it."),
        sa.Column("working_days", ARRAY(sa.SmallInteger), nullable=False, comment="ISO: Monday is 1."),
    ]
    for column in columns:
        op.add_column("campaign_terms", column)
    op.create_table_comment(
        "campaign_terms", "What held for calls of a campaign by each of its versions, and since when."
    )


def _change_leads() -> None:
    op.drop_index("leads_company", "leads")
    for name in ("has_email", "has_first_name"):
        op.add_column("leads", sa.Column(name, sa.Boolean, nullable=False))
    op.add_column("leads", sa.Column("deleted", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_table(
        "lead_assignments",
        sa.Column("lead_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        comment="When leads were given to an agent, or to none.",
    )
    op.create_table(
        "lead_conversions",
        sa.Column("lead_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("conversion_value", sa.Numeric, nullable=False),
        sa.Column("converted_at", sa.DateTime(timezone=True), nullable=False),
        comment="What leads were converted for, as it was told last.",
    )
    op.create_table(
        "lead_contacts",
        sa.Column("lead_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("first_call_at", sa.DateTime(timezone=True), nullable=False),
        comment="How often leads were called, and when first.",
    )


def _change_calls() -> None:
    op.drop_index("calls_company", "calls")
    op.drop_column("calls", "cost")
    columns: list[sa.Column[Any]] = [
        sa.Column(
            "reported",
            sa.Boolean,
            nullable=False,
            comment="Whether there is a quality report; its scores in thousandths.",
        ),
        *(sa.Column(name, sa.Integer) for name in SCORES),
        sa.Column("response", sa.BigInteger),
        sa.Column("score", sa.Integer, comment="The call's own: the mean of the first four of these that are there."),
        sa.Column("regulatory", sa.Boolean),
        sa.Column("data_protection", sa.Boolean),
        sa.Column("issues", ARRAY(sa.Text), nullable=False, comment="Each kind once."),
    ]
    for column in columns:
        op.add_column("calls", column)
    op.create_table_comment("calls", "Call attempts, as they were reported. They never change.")


def _create_words() -> None:
    op.create_table(
        "campaign_words",
        sa.Column("campaign_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("word", sa.Text, primary_key=True),
        sa.Column("calls", sa.BigInteger, nullable=False),
        comment="In how many calls of a campaign a word occurs.",
    )
    # A stop word of any of the languages ends there; any other word goes on to the next dictionary.
    for language in STOP_WORDS:
        op.execute(
            f"CREATE TEXT SEARCH DICTIONARY not_{language} (TEMPLATE = simple, STOPWORDS = {language}, ACCEPT = false)"
        )
    op.execute("CREATE TEXT SEARCH CONFIGURATION said_words (PARSER = default)")
    dictionaries = ", ".join([*(f"not_{language}" for language in STOP_WORDS), "simple"])
    op.execute(f"ALTER TEXT SEARCH CONFIGURATION said_words ADD MAPPING FOR {', '.join(WORDS)} WITH {dictionaries}")


def _create_sums(name: str, dimensions: list[str], counts: list[str], amounts: list[str]) -> None:
    types = {"source": sa.Text(), "issue": sa.Text()}
    op.create_table(
        name,
        sa.Column("company_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", sa.DateTime(timezone=True), primary_key=True),
        *(
            sa.Column(dimension, types.get(dimension, sa.BigInteger()), primary_key=True, autoincrement=False)
            for dimension in dimensions
        ),
        *(sa.Column(count, sa.BigInteger, nullable=False) for count in counts),
        *(sa.Column(amount, sa.Numeric, nullable=False) for amount in amounts),
    )
    # Rows are changed over and over; room on their page spares the index.
    op.execute(f"ALTER TABLE {name} SET (fillfactor = 80)")


def downgrade() -> None:
    """Back to the tables of before, empty as well."""
    op.execute("TRUNCATE calls, leads, campaign_terms, campaigns, inbox")
    op.execute("DROP VIEW call_facts, lead_facts")
    op.execute("DROP FUNCTION known_time_zone")
    op.execute("DROP TEXT SEARCH CONFIGURATION said_words")
    for language in STOP_WORDS:
        op.execute(f"DROP TEXT SEARCH DICTIONARY not_{language}")
    for table in (*SUMS, "campaign_words", "members", "ledgers", "lead_contacts", "lead_conversions"):
        op.drop_table(table)
    op.drop_table("lead_assignments")
    op.drop_column("campaigns", "team_members")
    op.add_column("campaigns", sa.Column("created_at", sa.DateTime(timezone=True), nullable=False))
    for name in ("calling_hours_start", "calling_hours_end", "time_zone", "working_days"):
        op.drop_column("campaign_terms", name)
    op.rename_table("campaign_terms", "campaign_prices")
    op.execute("ALTER INDEX campaign_terms_pkey RENAME TO campaign_prices_pkey")
    for name in ("has_email", "has_first_name", "deleted"):
        op.drop_column("leads", name)
    op.create_index("leads_company", "leads", ["company_id", "created_at", "campaign_id"])
    for name in ("reported", *SCORES, "response", "score", "regulatory", "data_protection", "issues"):
        op.drop_column("calls", name)
    op.add_column("calls", sa.Column("cost", sa.Numeric))
    op.create_index("calls_company", "calls", ["company_id", "started_at"])
