"""Facts for the benchmark of reports, made inside PostgreSQL, and the sums over them made by the service's own code."""

from typing import Final

import asyncpg

from services.analytics_svc.rollups import repository as rollups

DAYS: Final = 90
CAMPAIGNS: Final = 50
AGENTS: Final = 20
LEADS: Final = 200_000
FIRST_DAY: Final = "2024-01-01 00:00+00"
_PART: Final = 20_000

# Company n has campaigns, leads and calls with ids from n × 10,000,000 on.
_CAMPAIGNS: Final = f"""
    INSERT INTO campaigns
    SELECT $1 * 10000000 + n, 1, $1, 'Campaign ' || n, 'active', (ARRAY['low', 'medium', 'high'])[1 + n % 3],
        100000, 0.35, false, ARRAY[n, n % {AGENTS} + 1, (n + 7) % {AGENTS} + 1]
    FROM generate_series(1, {CAMPAIGNS}) AS n
"""
_TERMS: Final = f"""
    INSERT INTO campaign_terms
    SELECT $1 * 10000000 + n, 1, '-infinity', 0.35, '09:00', '18:00', 'Europe/Berlin', ARRAY[1, 2, 3, 4, 5]
    FROM generate_series(1, {CAMPAIGNS}) AS n
"""
_LEADS: Final = f"""
    INSERT INTO leads
    SELECT $1 * 10000000 + n, 1, $1, $1 * 10000000 + 1 + n % {CAMPAIGNS},
        (ARRAY['pending', 'in_progress', 'completed', 'failed', 'scheduled', 'blacklisted'])[1 + abs(hashint4(n)) % 6],
        1 + abs(hashint4(n + 1)) % 5,
        (ARRAY['Website', 'Referral', 'Fair', 'Import', NULL])[1 + abs(hashint4(n + 2)) % 5],
        CASE WHEN hashint4(n + 3) % 4 <> 0 THEN abs(hashint4(n + 4)) % 101 END,
        (ARRAY['low', 'medium', 'high', NULL])[1 + abs(hashint4(n + 5)) % 4],
        CASE WHEN hashint4(n + 6) % 10 <> 0 THEN 1 + abs(hashint4(n + 7)) % {AGENTS} END,
        timestamptz '{FIRST_DAY}' + n * interval '{DAYS} days' / {LEADS},
        hashint4(n + 8) % 3 <> 0, hashint4(n + 9) % 9 <> 0
    FROM generate_series(1, {LEADS}) AS n
"""
_CONVERSIONS: Final = """
    INSERT INTO lead_conversions
    SELECT id, 2, abs(hashint8(id)) % 5000, created_at + interval '3 days' FROM leads
    WHERE company_id = $1 AND hashint8(id + 1) % 5 = 0
"""
_CALLS: Final = f"""
    INSERT INTO calls
    SELECT $1 * 10000000 + n, $1, $1 * 10000000 + 1 + lead % {CAMPAIGNS}, $1 * 10000000 + lead,
        1 + abs(hashint4(n + 1)) % {AGENTS},
        timestamptz '{FIRST_DAY}' + n % {DAYS} * interval '1 day' + abs(hashint4(n + 2)) % 46800 * interval '1 second'
            + interval '7 hours',
        abs(hashint4(n + 3)) % 600, hashint4(n + 4) % 3 = 0,
        CASE WHEN hashint4(n + 5) % 5 = 0 THEN 0.5 END, quality, score, score, score, score, score / 10 - 2000,
        CASE WHEN quality THEN 4000 END, CASE WHEN quality THEN 1500 END, score, quality, quality,
        CASE WHEN quality AND hashint4(n + 6) % 10 = 0 THEN ARRAY['script_deviation'] ELSE ARRAY[]::text[] END
    FROM generate_series(1, $2) AS n,
        LATERAL (SELECT 1 + abs(hashint4(n)) % {LEADS} AS lead, hashint4(n + 7) % 2 = 0 AS quality) AS drawn,
        LATERAL (SELECT CASE WHEN quality THEN abs(hashint4(n + 8)) % 100000 END AS score) AS scored
"""
_CONTACTS: Final = """
    INSERT INTO lead_contacts
    SELECT lead_id, count(*), min(started_at) FROM calls WHERE company_id = $1 GROUP BY lead_id
"""
# What a service without roll-ups would have: the rows with all that is known of them, and the index that serves best.
_RAW: Final = """
    CREATE TABLE raw_call_facts AS SELECT * FROM call_facts;
    CREATE INDEX ON raw_call_facts (company_id, started_at);
    CREATE TABLE raw_lead_facts AS SELECT * FROM lead_facts;
    CREATE INDEX ON raw_lead_facts (company_id, created_at);
"""


async def load(url: str, company_id: int, calls: int) -> None:
    """Make a company with so many calls, and its sums."""
    driver = await asyncpg.connect(url, server_settings={"jit": "off"})
    for statement in (_CAMPAIGNS, _TERMS, _LEADS, _CONVERSIONS):
        await driver.execute(statement, company_id)
    await driver.execute(_CALLS, company_id, calls)
    await driver.execute(_CONTACTS, company_id)
    await driver.execute("INSERT INTO ledgers VALUES ($1, gen_random_uuid())", company_id)
    await driver.execute("ANALYZE")
    await rollups.create_before_tables(driver)
    first = company_id * 10_000_000 + 1
    for facts, count in (("lead_facts", LEADS), ("call_facts", calls)):
        for start in range(first, first + count, _PART):
            await rollups.add_differences(driver, facts, range(start, start + _PART))
    await driver.close()


async def keep_raw_rows(url: str) -> None:
    """Make the tables of raw rows, and have every table as it is after a while in use."""
    driver = await asyncpg.connect(url)
    await driver.execute(_RAW)
    await driver.execute("VACUUM ANALYZE")
    await driver.close()
