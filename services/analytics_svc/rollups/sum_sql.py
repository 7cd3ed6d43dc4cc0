"""Queries of sums over a period: SQL composed from measures, dimensions and the grains that cover the period.

A period is split into whole days of UTC, which a table of days answers, and the quarter-hours at either end. Days and
hours of another time zone are summed from quarter-hours. A company's calls by campaign from 2024-03-01T18:00Z on::

    SELECT campaign_id, CAST(coalesce(sum(calls), 0) AS bigint) AS calls FROM (
        SELECT campaign_id, calls FROM calls_by_campaign_and_day WHERE company_id = $1 AND at >= $2
        UNION ALL
        SELECT campaign_id, calls FROM calls_by_agent_and_quarter WHERE company_id = $1 AND at >= $3 AND at < $4
    ) AS cells GROUP BY campaign_id HAVING sum(calls) <> 0 ORDER BY campaign_id
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from services.analytics_svc.rollups.measures import Measure
from services.analytics_svc.rollups.rollup_tables import Rollup, Unit

Bucket = Literal["day", "hour", "hour_of_day"]

_DAY: Final = timedelta(days=1)
_BUCKETS: Final[dict[Bucket, str]] = {
    "day": "CAST(at AT TIME ZONE {zone} AS date)",
    "hour": "date_trunc('hour', at, {zone})",
    "hour_of_day": "CAST(extract(hour FROM at AT TIME ZONE {zone}) AS int)",
}


@dataclass(frozen=True, slots=True)
class Selection:
    """What is summed: the facts of one company within a half-open span of time.

    Attributes
    ----------
    campaign_ids
        Only the facts of these campaigns; None for all, also those of deleted campaigns and of unknown ones.
    start, end
        The first moment, and the first moment after the span; None leaves that end open.
    """

    company_id: int
    campaign_ids: Sequence[int] | None = None
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class SumQuery:
    """Measures of one roll-up over a selection, by dimensions."""

    rollup: Rollup
    measures: Sequence[Measure]
    selection: Selection
    dimensions: Sequence[str] = ()

    def table_name(self, unit: Unit) -> str:
        """Return the coarsest table of a unit that answers the query."""
        filtered = [] if self.selection.campaign_ids is None else ["campaign_id"]
        names = [measure.name for measure in self.measures]
        return self.rollup.grain([*self.dimensions, *filtered], names, unit).table.name


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a period that the tables of one unit answer; None leaves that end open."""

    unit: Unit
    start: datetime | None
    end: datetime | None


class Parameters:
    """The parameters of a statement, numbered in the order in which they are added."""

    def __init__(self) -> None:
        self.values: list[object] = []

    def add(self, value: object) -> str:
        """Add a value and return its placeholder (``$1`` for the first)."""
        self.values.append(value)
        return f"${len(self.values)}"


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL and its parameters."""

    sql: str
    parameters: list[object]


def total(query: SumQuery) -> Statement:
    """Compose the query of one row: the sums over the whole selection."""
    parameters = Parameters()
    cells = select_cells(query, split_into_spans(query.selection), parameters)
    return Statement(f"SELECT {_sums(query)} FROM ({cells}) AS cells", parameters.values)


def by_dimensions(query: SumQuery) -> Statement:
    """Compose the query of a row per combination of dimensions, in their order, where the first measure is not 0."""
    parameters = Parameters()
    cells = select_cells(query, split_into_spans(query.selection), parameters)
    keys = ", ".join(query.dimensions)
    return Statement(
        f"SELECT {keys}, {_sums(query)} FROM ({cells}) AS cells"
        f" GROUP BY {keys} HAVING sum({query.measures[0].name}) <> 0 ORDER BY {keys}",
        parameters.values,
    )


def by_time(query: SumQuery, bucket: Bucket, time_zone: str) -> Statement:
    """Compose the query of a row per ``bucket`` of a time zone, oldest first, where the first measure is not 0."""
    parameters = Parameters()
    if bucket == "day" and time_zone == "UTC":
        spans, zone = split_into_spans(query.selection), "'UTC'"
    else:
        spans = [Span("quarter", query.selection.start, query.selection.end)]
        zone = parameters.add(time_zone)
    cells = select_cells(query, spans, parameters, with_time=True)
    return Statement(
        f"SELECT {_BUCKETS[bucket].format(zone=zone)} AS bucket, {_sums(query)} FROM ({cells}) AS cells"
        f" GROUP BY bucket HAVING sum({query.measures[0].name}) <> 0 ORDER BY bucket",
        parameters.values,
    )


def split_into_spans(selection: Selection) -> list[Span]:
    """Split a selection's time into whole days of UTC and the quarter-hours at either end of them."""
    start, end = selection.start, selection.end
    first_day, last_day = _next_midnight(start), _last_midnight(end)
    if first_day is not None and last_day is not None and first_day >= last_day:
        return [Span("quarter", start, end)]
    spans = [Span("day", first_day, last_day)]
    if start != first_day:
        spans.append(Span("quarter", start, first_day))
    if end != last_day:
        spans.append(Span("quarter", last_day, end))
    return spans


def select_cells(query: SumQuery, spans: Sequence[Span], parameters: Parameters, *, with_time: bool = False) -> str:
    """Compose the SELECT of the stored sums that make up the spans.

    Parameters
    ----------
    with_time
        Select ``at``, the first moment of each sum's unit, too.
    """
    selection = query.selection
    selected = [f"company_id = {parameters.add(selection.company_id)}"]
    if selection.campaign_ids is not None:
        selected.append(f"campaign_id = ANY({parameters.add(list(selection.campaign_ids))}::bigint[])")
    time = ["at"] if with_time else []
    columns = ", ".join([*query.dimensions, *time, *(measure.name for measure in query.measures)])
    parts = []
    for span in spans:
        bounds = [
            f"at {operator} {parameters.add(moment)}"
            for operator, moment in ((">=", span.start), ("<", span.end))
            if moment is not None
        ]
        parts.append(f"SELECT {columns} FROM {query.table_name(span.unit)} WHERE {' AND '.join([*selected, *bounds])}")
    return " UNION ALL ".join(parts)


def _sums(query: SumQuery) -> str:
    return ", ".join(
        f"CAST(coalesce(sum({measure.name}), 0) AS {measure.type}) AS {measure.name}" for measure in query.measures
    )


def _next_midnight(moment: datetime | None) -> datetime | None:
    midnight = _last_midnight(moment)
    return midnight if midnight is None or midnight == moment else midnight + _DAY


def _last_midnight(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
