"""Queries of sums read whole days where they can, and quarter-hours at either end."""

from datetime import UTC, datetime

import pytest

from services.analytics_svc.rollups.measures import OUTCOMES
from services.analytics_svc.rollups.rollup_tables import CALLS
from services.analytics_svc.rollups.sum_sql import Selection, Span, SumQuery, by_dimensions, by_time, split_into_spans


def march(day: int, hour: int = 0) -> datetime:
    return datetime(2024, 3, day, hour, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end", "spans"),
    [
        (None, None, [Span("day", None, None)]),
        (march(1), march(3), [Span("day", march(1), march(3))]),
        (march(1, 18), None, [Span("day", march(2), None), Span("quarter", march(1, 18), march(2))]),
        (None, march(3, 6), [Span("day", None, march(3)), Span("quarter", march(3), march(3, 6))]),
        (
            march(1, 18),
            march(3, 6),
            [
                Span("day", march(2), march(3)),
                Span("quarter", march(1, 18), march(2)),
                Span("quarter", march(3), march(3, 6)),
            ],
        ),
        (march(1, 6), march(1, 18), [Span("quarter", march(1, 6), march(1, 18))]),
        (march(1, 18), march(2, 6), [Span("quarter", march(1, 18), march(2, 6))]),
    ],
)
def test_a_period_is_split_into_whole_days_and_quarter_hours_at_either_end(
    start: datetime | None, end: datetime | None, spans: list[Span]
) -> None:
    assert split_into_spans(Selection(1, start=start, end=end)) == spans


def test_the_query_of_the_docstring() -> None:
    statement = by_dimensions(SumQuery(CALLS, OUTCOMES[:1], Selection(1, start=march(1, 18)), ["campaign_id"]))
    assert statement.sql == (
        "SELECT campaign_id, CAST(coalesce(sum(calls), 0) AS bigint) AS calls FROM ("
        "SELECT campaign_id, calls FROM calls_by_campaign_and_day WHERE company_id = $1 AND at >= $2"
        " UNION ALL "
        "SELECT campaign_id, calls FROM calls_by_agent_and_quarter WHERE company_id = $1 AND at >= $3 AND at < $4"
        ") AS cells GROUP BY campaign_id HAVING sum(calls) <> 0 ORDER BY campaign_id"
    )
    assert statement.parameters == [1, march(2), march(1, 18), march(2)]


def test_days_of_another_time_zone_are_summed_from_quarter_hours() -> None:
    query = SumQuery(CALLS, OUTCOMES, Selection(1, campaign_ids=[7, 8]))
    assert "_and_quarter" in by_time(query, "day", "Europe/Berlin").sql
    assert by_time(query, "day", "Europe/Berlin").parameters == ["Europe/Berlin", 1, [7, 8]]
    assert "_and_day" in by_time(query, "day", "UTC").sql
