"""The roll-ups: which measures are summed, by which dimensions and unit of time.

Each roll-up has one finest grain, by quarter-hours, from which the hours and days of every time zone can be summed, and
coarser grains that answer the usual queries from few rows. A query reads the coarsest grain that can answer it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from sqlalchemy import BigInteger, Column, DateTime, Numeric, Table, Text

from services.analytics_svc.rollups import measures as m
from services.analytics_svc.rollups.measures import Measure
from services.analytics_svc.tables import metadata

Unit = Literal["quarter", "day"]
"""Quarter-hours; days of UTC."""

DIMENSIONS: Final = {
    "campaign_id": "campaign_id",
    "agent_id": "coalesce(agent_id, 0)",
    "source": "coalesce(source, '')",
    "issue": "issue",
}
"""By name: the SQL of a dimension over a fact. A fact without a value counts under 0 or the empty text."""
_TEXTS: Final = {"source", "issue"}


@dataclass(frozen=True, slots=True)
class Grain:
    """A table of sums: one row for each company, unit of time and value of the dimensions.

    Columns: ``company_id``, ``at`` (the unit's first moment), the dimensions and the measures.
    """

    table: Table
    unit: Unit
    dimensions: tuple[str, ...]
    measures: tuple[Measure, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """The primary key: time before the dimensions, so that a company's period is one range of it."""
        return ("company_id", "at", *self.dimensions)

    def answers(self, dimensions: Collection[str], measures: Collection[str], unit: Unit) -> bool:
        """Return whether this grain has the measures, by the dimensions and the unit."""
        stored = {measure.name for measure in self.measures}
        return unit == self.unit and set(dimensions) <= set(self.dimensions) and set(measures) <= stored


@dataclass(frozen=True, slots=True)
class Rollup:
    """Sums over one kind of fact.

    Parameters
    ----------
    facts
        View of the facts.
    source
        SQL of the relation to sum, over ``changed``, which has the columns of the view and ``sign``.
    moment
        Column of the time under which a fact is summed.
    grains
        The finest first; the others from the coarsest on.
    """

    facts: str
    source: str
    moment: str
    grains: tuple[Grain, ...]

    @property
    def finest(self) -> Grain:
        """The grain from which all others can be summed."""
        return self.grains[0]

    def grain(self, dimensions: Collection[str], measures: Collection[str], unit: Unit) -> Grain:
        """Return the coarsest grain that has the measures, by the dimensions and the unit.

        Raises
        ------
        LookupError
            If no grain has them.
        """
        for grain in (*self.grains[1:], self.finest):
            if grain.answers(dimensions, measures, unit):
                return grain
        raise LookupError(f"no grain of {self.facts} has {measures} by {dimensions} and {unit}")


def _grain(name: str, unit: Unit, dimensions: Sequence[str], *summed: Measure) -> Grain:
    measures = tuple(sorted(summed, key=lambda measure: measure.type))
    keys = ("company_id", "at", *dimensions)
    types = {"at": DateTime(timezone=True)} | {name: Text() for name in _TEXTS}
    columns: list[Column[object]] = [
        *(Column(key, types.get(key, BigInteger()), primary_key=True, autoincrement=False) for key in keys),
        *(
            Column(measure.name, BigInteger() if measure.type == "bigint" else Numeric(), nullable=False)
            for measure in measures
        ),
    ]
    return Grain(Table(name, metadata, *columns), unit, tuple(dimensions), measures)


CALLS: Final = Rollup(
    facts="call_facts",
    source="changed",
    moment="started_at",
    grains=(
        _grain(
            "calls_by_agent_and_quarter",
            "quarter",
            ("campaign_id", "agent_id"),
            *(*m.OUTCOMES, *m.COSTS, *m.QUALITY),
        ),
        _grain("calls_by_quarter", "quarter", (), *m.OUTCOMES, *m.COSTS, *m.QUALITY),
        _grain("calls_by_agent_and_day", "day", ("agent_id",), *m.OUTCOMES),
        _grain("calls_by_campaign_and_day", "day", ("campaign_id",), *m.OUTCOMES, *m.COSTS, *m.QUALITY),
    ),
)
ISSUES: Final = Rollup(
    facts="call_facts",
    source="(SELECT changed.*, unnest(issues) AS issue FROM changed) AS reported_issues",
    moment="started_at",
    grains=(
        _grain("issues_by_campaign_and_quarter", "quarter", ("campaign_id", "issue"), Measure("calls", "1")),
        _grain("issues_by_campaign_and_day", "day", ("campaign_id", "issue"), Measure("calls", "1")),
    ),
)
LEADS: Final = Rollup(
    facts="lead_facts",
    source="changed",
    moment="created_at",
    grains=(
        _grain(
            "leads_by_source_agent_and_quarter",
            "quarter",
            ("campaign_id", "source", "agent_id"),
            *(*m.LEADS, *m.FUNNEL, *m.CONVERSIONS, *m.RESPONSES, *m.LEAD_SCORES, *m.BANDS, *m.DISTRIBUTION),
            *(*m.COMPLETENESS, *m.CORRELATIONS),
        ),
        _grain("leads_by_quarter", "quarter", (), *m.LEADS, *m.CONVERSIONS),
        _grain(
            "leads_by_agent_and_day",
            "day",
            ("agent_id",),
            *(*m.LEADS, *m.FUNNEL, *m.CONVERSIONS, *m.RESPONSES, *m.DISTRIBUTION),
        ),
        _grain("leads_by_source_and_day", "day", ("source",), *m.LEADS, *m.CONVERSIONS, *m.LEAD_SCORES),
        _grain(
            "leads_by_campaign_source_and_day",
            "day",
            ("campaign_id", "source"),
            *(*m.LEADS, *m.CONVERSIONS, *m.LEAD_SCORES),
        ),
        _grain(
            "leads_by_campaign_and_day",
            "day",
            ("campaign_id",),
            *(*m.LEADS, *m.FUNNEL, *m.CONVERSIONS, *m.LEAD_SCORES, *m.BANDS, *m.DISTRIBUTION),
            *(*m.COMPLETENESS, *m.CORRELATIONS),
        ),
    ),
)
CONVERSIONS: Final = Rollup(
    facts="lead_facts",
    source="(SELECT * FROM changed WHERE converted) AS conversions",
    moment="converted_at",
    grains=(
        _grain("conversions_by_campaign_and_quarter", "quarter", ("campaign_id",), *m.CONVERSIONS),
        _grain("conversions_by_campaign_and_day", "day", ("campaign_id",), *m.CONVERSIONS),
    ),
)
ROLLUPS: Final = (CALLS, ISSUES, LEADS, CONVERSIONS)
