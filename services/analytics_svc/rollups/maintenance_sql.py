"""Statements that maintain the roll-ups: SQL composed from their measures, dimensions and grains.

A roll-up's sums change by the difference between the facts after and before a batch. Several statements store the facts
of a batch, so the rows of the view as they were are copied first, into the temporary tables ``before_call_facts`` and
``before_lead_facts``, which are private to the session and emptied at the end of the transaction. One statement per
roll-up then adds the facts as they are (sign 1) and subtracts the copies (sign -1): a fact that an event repeats, or
that is changed and changed back, adds nothing. For a roll-up of one measure and two grains it is::

    WITH changed AS (
        SELECT 1 AS sign, facts.* FROM unnest($1::bigint[]) AS affected (id) JOIN call_facts AS facts USING (id)
        UNION ALL SELECT -1, * FROM before_call_facts
    ),
    sums AS (
        SELECT company_id, date_bin('15 minutes', started_at, TIMESTAMPTZ '2000-01-01 00:00+00') AS at, campaign_id,
            CAST(sum(sign * (1)) AS bigint) AS calls
        FROM changed GROUP BY 1, 2, 3
    ),
    differences AS MATERIALIZED (SELECT * FROM sums WHERE calls <> 0),
    to_calls_by_quarter AS (
        INSERT INTO calls_by_quarter AS stored (company_id, at, campaign_id, calls)
        SELECT company_id, at, campaign_id, CAST(sum(calls) AS bigint)
        FROM differences GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
        ON CONFLICT (company_id, at, campaign_id) DO UPDATE SET calls = stored.calls + excluded.calls
    ),
    to_calls_by_day AS (… the same by company_id and date_trunc('day', at, 'UTC') …)
    SELECT 1
"""

from typing import Final

from services.analytics_svc.rollups.rollup_tables import DIMENSIONS, ROLLUPS, Grain, Rollup

FACTS: Final = sorted({rollup.facts for rollup in ROLLUPS})
"""The views that roll-ups are summed from."""


def _create_before_table(facts: str) -> str:
    return f"CREATE TEMP TABLE IF NOT EXISTS before_{facts} (LIKE {facts}) ON COMMIT DELETE ROWS"


def _copy_before(facts: str) -> str:
    return f"""
        INSERT INTO before_{facts}
        SELECT facts.* FROM unnest($1::bigint[]) AS affected (id) JOIN {facts} AS facts USING (id)
    """


def _add_differences(rollup: Rollup) -> str:
    """Compose the statement that sums the differences by the finest grain and adds them to every grain."""
    finest = rollup.finest
    dimensions = "".join(f", {DIMENSIONS[name]} AS {name}" for name in finest.dimensions)
    sums = ", ".join(
        f"CAST(sum(sign * ({measure.of_fact})) AS {measure.type}) AS {measure.name}" for measure in finest.measures
    )
    is_different = " OR ".join(f"{measure.name} <> 0" for measure in finest.measures)
    additions = ", ".join(f"to_{grain.table.name} AS ({_add_to(grain)})" for grain in rollup.grains)
    return f"""
        WITH changed AS (
            SELECT 1 AS sign, facts.* FROM unnest($1::bigint[]) AS affected (id) JOIN {rollup.facts} AS facts USING (id)
            UNION ALL SELECT -1, * FROM before_{rollup.facts}
        ),
        sums AS (
            SELECT
                company_id,
                date_bin('15 minutes', {rollup.moment}, TIMESTAMPTZ '2000-01-01 00:00+00') AS at{dimensions},
                {sums}
            FROM {rollup.source} GROUP BY {_column_numbers(len(finest.keys))}
        ),
        differences AS MATERIALIZED (SELECT * FROM sums WHERE {is_different}),
        {additions}
        SELECT 1
    """


def _add_to(grain: Grain) -> str:
    at = "at" if grain.unit == "quarter" else "date_trunc('day', at, 'UTC')"
    names = [measure.name for measure in grain.measures]
    sums = [f"CAST(sum({measure.name}) AS {measure.type})" for measure in grain.measures]
    keys = _column_numbers(len(grain.keys))
    return f"""
        INSERT INTO {grain.table.name} AS stored ({", ".join([*grain.keys, *names])})
        SELECT {", ".join(["company_id", at, *grain.dimensions, *sums])}
        FROM differences GROUP BY {keys} ORDER BY {keys}
        ON CONFLICT ({", ".join(grain.keys)})
        DO UPDATE SET {", ".join(f"{name} = stored.{name} + excluded.{name}" for name in names)}
    """


def _column_numbers(count: int) -> str:
    return ", ".join(map(str, range(1, count + 1)))


CREATE_BEFORE_TABLES: Final = "; ".join(map(_create_before_table, FACTS))
COPY_BEFORE: Final = {facts: _copy_before(facts) for facts in FACTS}
ADD_DIFFERENCES: Final = {
    facts: [_add_differences(rollup) for rollup in ROLLUPS if rollup.facts == facts] for facts in FACTS
}
"""By view: one statement per roll-up."""
