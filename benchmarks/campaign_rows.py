"""Campaigns as companies have them, as many as requested, written by PostgreSQL itself; the same on every run."""

import asyncio
from typing import Final

import asyncpg

LARGE_COMPANY: Final = 1
FIRST_SMALL_COMPANY: Final = 2
SMALL_COMPANY_CAMPAIGNS: Final = 100


def _one_of(*texts: str) -> str:
    """SQL for one of these, another in each row; one that stands several times comes as much more often."""
    listed = ", ".join(f"'{text}'" for text in texts)
    return f"(ARRAY[{listed}])[1 + floor(random() * {len(texts)})::int]"


_STATUS: Final = _one_of(*["completed"] * 9, *["active"] * 5, *["draft"] * 4, *["paused"] * 2)
_PRIORITY: Final = _one_of("low", "medium", "medium", "high")
_SEASON: Final = _one_of("Spring", "Summer", "Autumn", "Winter", "Q1", "Q2", "Q3", "Q4", "Weekly", "Año nuevo")
_SUBJECT: Final = _one_of("Loyalty", "Broadband", "Dental", "Solar", "Insurance", "Köln", "Fleet", "Payroll", "Cloud")
_PURPOSE: Final = _one_of("survey", "renewals", "win-back", "appointments", "feedback", "upsell", "collections")
_AUDIENCE: Final = _one_of("customers", "lapsed members", "trial users", "clinics", "households", "small firms")
_ZONE: Final = _one_of("UTC", "America/New_York", "America/Los_Angeles", "Europe/Berlin", "Europe/Madrid", "Asia/Tokyo")

_CAMPAIGNS: Final = f"""
INSERT INTO campaigns (
    company_id, name, description, status, priority, campaign_type, calls_per_day,
    calling_hours_start, calling_hours_end, time_zone, working_days,
    ai_voice_id, ai_voice_language, ai_voice_gender, system_prompt, script_template, fallback_script,
    max_attempts_per_lead, retry_delay_minutes, call_duration_limit, success_criteria, expected_completion_date,
    budget, cost_per_call, owner_id, team_members, tags, notes, start_date, end_date, recurrence_rule,
    created_at, updated_at
)
SELECT company_id, season || ' ' || subject || ' ' || purpose || ' ' || number,
    CASE WHEN random() < 0.8 THEN purpose || ' by phone among ' || audience || ' of ' || subject || ', '
        || {_one_of("as every quarter", "after the price change", "agreed with sales", "second wave")} END,
    status, priority, 'outbound', 20 + floor(random() * 480)::int,
    '09:00', '17:30', {_ZONE}, '{{Monday,Tuesday,Wednesday,Thursday,Friday}}',
    'voice-' || number % 40, {_one_of("en-US", "en-US", "de-DE", "es-ES")}, {_one_of("female", "male")},
    'You are a friendly representative calling ' || audience || ' about ' || purpose
        || '. Be brief, never argue, and offer a call back at a better time.',
    'Hello {{customer_name}}, this is {{company_name}} calling about ' || subject
        || '. Would you have two minutes for a few questions? Your answers help us to serve ' || audience || ' better.',
    'I understand you are busy. Would you prefer if I called back at a more convenient time?',
    1 + number % 5, 60, 300, 'Customer answers at least 80% of the questions', (created + interval '90 days')::date,
    500 + floor(random() * 9500), 0.35 + number % 7 / 10.0, 1 + number % 500,
    ARRAY[1 + number % 500, 501], ARRAY[lower(subject), purpose],
    CASE WHEN random() < 0.5 THEN 'Agreed with sales; see the brief of ' || season END,
    date_trunc('hour', created) + interval '7 days', date_trunc('hour', created) + interval '90 days',
    CASE WHEN random() < 0.3 THEN 'FREQ=WEEKLY' END,
    created, created + interval '1 hour'
FROM (
    SELECT number, {_SEASON} AS season, {_SUBJECT} AS subject, {_PURPOSE} AS purpose, {_AUDIENCE} AS audience,
        {_STATUS}::campaign_status AS status, {_PRIORITY}::campaign_priority AS priority,
        -- Created one after the other over three years, so that most, but not all, have ids in that order.
        timestamptz '2023-01-02 08:00Z' + number * (interval '3 years' / $1) + random() * interval '2 hours' AS created,
        CASE WHEN number % $2 = 0 THEN {FIRST_SMALL_COMPANY} + (number / $2) % $3 ELSE {LARGE_COMPANY} END AS company_id
    FROM generate_series(0, $1 - 1) AS number
) AS drawn
"""
_TOTALS: Final = """
INSERT INTO campaign_totals
SELECT id, leads, calls, floor(calls * random() * 0.4)
FROM (
    SELECT id, leads, floor(leads * CASE status WHEN 'completed' THEN 3 ELSE random() END) AS calls
    FROM (SELECT id, status, floor(50 + random() * 950) AS leads FROM campaigns WHERE status <> 'draft') AS started
) AS called
"""
_COUNTS: Final = """
INSERT INTO campaign_counts
SELECT company_id, status, priority, count(*) FROM campaigns GROUP BY company_id, status, priority
"""


async def load(superuser_url: str, *, campaigns: int, small_companies: int) -> None:
    """Fill an empty, migrated database.

    Parameters
    ----------
    superuser_url
        Of the database, as a role that may disable triggers.
    campaigns
        How many ``LARGE_COMPANY`` owns.
    small_companies
        How many others there are. Each has ``SMALL_COMPANY_CAMPAIGNS``, which lie between the large one's.
    """
    small = small_companies * SMALL_COMPANY_CAMPAIGNS
    connection = await asyncpg.connect(superuser_url)
    try:
        await connection.execute("SELECT setseed(0.5)")
        indexes = await _drop_indexes(connection)
        await connection.execute("ALTER TABLE campaigns DISABLE TRIGGER campaign_counted")
        await connection.execute(_CAMPAIGNS, campaigns + small, (campaigns + small) // small, small_companies)
        await connection.execute("ALTER TABLE campaigns ENABLE TRIGGER campaign_counted")
        await connection.execute(_TOTALS)
        await connection.execute(_COUNTS)
        await asyncio.gather(*(_create_index(superuser_url, index) for index in indexes))
        # So that neither the first readers nor autovacuum do this while something is measured.
        await connection.execute("VACUUM (FREEZE, ANALYZE)")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


async def _drop_indexes(connection: "asyncpg.Connection[asyncpg.Record]") -> list[str]:
    """Drop what slows a load down; returns the statements that create it again."""
    found = await connection.fetch(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'campaigns' AND indexname <> 'campaigns_pkey'"
    )
    for index in found:
        await connection.execute(f"DROP INDEX {index['indexname']}")
    return [index["indexdef"] for index in found]


async def _create_index(superuser_url: str, definition: str) -> None:
    connection = await asyncpg.connect(superuser_url, server_settings={"maintenance_work_mem": "1GB"})
    try:
        await connection.execute(definition)
    finally:
        await connection.close()
