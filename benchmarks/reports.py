r"""Every report against a plain GROUP BY on the raw rows, in one run: ``make bench WHAT=reports``.

==========  =========================================================================================================
raw         the report's own queries, each on the raw rows (one for each call or lead, with all that is known
            of it, under the index that serves best), in the service's own code otherwise, without HTTP
cold        the report over HTTP from ``analytics-api``, when the company's facts have changed since it was last made
cached      the same when they have not
==========  =========================================================================================================

Two companies with 200,000 leads in 50 campaigns each, one with 100,000 calls in 90 days and one with 1,000,000. Each
round sends every request once, in turn; figures are medians and 95th percentiles of the rounds, in milliseconds.

Then the projection: events wait in the queue, and ``analytics-events`` applies them all.
"""

import asyncio
import http.client
import os
import platform
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Final
from unittest.mock import patch

import asyncpg
from rich.console import Console
from rich.table import Table

from benchmarks import report_events, report_facts
from benchmarks.own_stack import own_stack
from deploy.local.processes import PRODUCT, Product
from deploy.local.stack import Stack
from services.analytics_svc.reports import conversions, costs, leads, performance, quality, team
from services.analytics_svc.reports import statistics as campaign_statistics
from services.analytics_svc.reports.campaign_lookup import ReportCampaign
from services.analytics_svc.reports.period import Period
from services.analytics_svc.reports.scope import Scope
from services.analytics_svc.rollups import sum_sql
from services.analytics_svc.rollups.rollup_tables import DIMENSIONS
from services.analytics_svc.rollups.sum_sql import Parameters, Span, SumQuery
from shared.database.engine import Driver
from shared.ids import CampaignId, CompanyId

ROUNDS: Final = 40
RAW_ROUNDS: Final = 5
"""Fewer: one takes seconds."""
SMALL, LARGE = 1, 2
CALLS: Final = {SMALL: 100_000, LARGE: 1_000_000}
COLD_TARGET: Final = 50
"""Milliseconds, 95th percentile."""
RATIO_TARGET: Final = 10
"""Least times faster than raw."""
GROWTH_TARGET: Final = 1.5
"""Most times slower with ten times the calls."""
RESULTS = Path(__file__).parent / "results"

_PRODUCT: Final = Product(
    migrations=tuple(spec for spec in PRODUCT.migrations if spec.database == "analytics"),
    processes=tuple(spec for spec in PRODUCT.processes if spec.name in {"analytics-api", "campaign-api"}),
    gateway_upstreams=dict.fromkeys(PRODUCT.gateway_upstreams, "analytics-api"),
)
_CAMPAIGNS: Final = "/api/voice-campaigns/company/{company}"
_LEADS: Final = "/api/voice-leads/company/{company}"

Make = Callable[[Driver, Scope], Awaitable[object]]


def _known(scope: Scope) -> ReportCampaign:
    return ReportCampaign(
        id=CampaignId(scope.company_id * 10_000_000 + 1), company_id=scope.company_id, budget=None, cost_per_call=None
    )


def _one(make: Callable[[Driver, ReportCampaign], Awaitable[object]]) -> Make:
    return lambda driver, scope: make(driver, _known(scope))


REPORTS: Final[dict[str, tuple[str, Make]]] = {
    "statistics": (
        f"{_CAMPAIGNS}/stats",
        lambda driver, scope: campaign_statistics.company_statistics(driver, scope, None),
    ),
    "performance": (
        f"{_CAMPAIGNS}/performance",
        lambda driver, scope: performance.company_performance(driver, scope, "daily"),
    ),
    "performance, hourly": (
        f"{_CAMPAIGNS}/performance?interval=hourly",
        lambda driver, scope: performance.company_performance(driver, scope, "hourly"),
    ),
    "performance, Berlin": (
        f"{_CAMPAIGNS}/performance?time_zone=Europe/Berlin&start_date=2024-01-10&end_date=2024-03-20",
        lambda driver, scope: performance.company_performance(driver, scope, "daily"),
    ),
    "team": (f"{_CAMPAIGNS}/team-performance", team.team_performance),
    "costs": (f"{_CAMPAIGNS}/cost-analysis", costs.cost_analysis),
    "quality": (f"{_CAMPAIGNS}/quality-metrics", quality.quality_metrics),
    "one campaign": ("/api/voice-campaigns/{campaign}/stats", _one(campaign_statistics.campaign_statistics)),
    "metrics of a campaign": ("/internal/voice-campaigns/{campaign}/metrics", _one(quality.campaign_metrics)),
    "leads": (f"{_LEADS}/analytics", leads.lead_analytics),
    "lead quality": (f"{_LEADS}/quality-report", leads.lead_quality_report),
    "assignment": (f"{_LEADS}/assignment-stats", leads.assignment_statistics),
    "conversions": (f"{_LEADS}/conversion-analysis", conversions.conversion_analysis),
    "leads of a campaign": ("/api/voice-leads/campaign/{campaign}/stats", _one(leads.campaign_lead_statistics)),
}
_PERIODS: Final = {"performance, Berlin": Period(date(2024, 1, 10), date(2024, 3, 20), "Europe/Berlin")}


def raw_cells(query: SumQuery, _spans: Sequence[Span], parameters: Parameters, *, with_time: bool = False) -> str:
    """Compose, in place of the rows of a roll-up, those of the facts, each with its measures."""
    rollup, selection = query.rollup, query.selection
    conditions = [f"company_id = {parameters.add(selection.company_id)}"]
    if selection.campaign_ids is not None:
        conditions.append(f"campaign_id = ANY({parameters.add(list(selection.campaign_ids))}::bigint[])")
    if selection.start is not None:
        conditions.append(f"{rollup.moment} >= {parameters.add(selection.start)}")
    if selection.end is not None:
        conditions.append(f"{rollup.moment} < {parameters.add(selection.end)}")
    columns = [
        *(f"{DIMENSIONS[name]} AS {name}" for name in query.dimensions),
        *([f"{rollup.moment} AS at"] if with_time else []),
        *(f"{measure.of_fact} AS {measure.name}" for measure in query.measures),
    ]
    rows = f"(SELECT * FROM raw_{rollup.facts} WHERE {' AND '.join(conditions)}) AS changed"
    source = rollup.source.replace("FROM changed", f"FROM {rows}") if rollup.source != "changed" else rows
    return f"SELECT {', '.join(columns)} FROM {source}"


class ReportClient:
    """Requests reports of ``analytics-api`` over one connection."""

    def __init__(self, stack: Stack) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", stack.state.port("analytics-api"))
        self._headers = {"Authorization": f"Bearer {stack.token(SMALL, LARGE)}"}

    def request(self, path: str, company: int) -> float:
        """Request a report; returns milliseconds."""
        started = time.perf_counter()
        target = path.format(company=company, campaign=company * 10_000_000 + 1)
        self._connection.request("GET", target, headers=self._headers)
        answer = self._connection.getresponse()
        body = answer.read()
        took = (time.perf_counter() - started) * 1000
        assert answer.status == http.client.OK, body
        return took


Samples = defaultdict[tuple[str, str, int], list[float]]
"""Milliseconds by report, way of querying and company."""


async def measure(stack: Stack, rounds: int) -> Samples:
    """Send all requests to all servers, ``rounds`` times."""
    samples: Samples = defaultdict(list)
    client = ReportClient(stack)
    driver = await asyncpg.connect(_url(stack), server_settings={"jit": "off", "timezone": "UTC"})
    for number in range(rounds + 1):
        for report, (path, make) in REPORTS.items():
            for company in (SMALL, LARGE):
                await driver.execute("UPDATE ledgers SET mark = gen_random_uuid()")
                cold, cached = client.request(path, company), client.request(path, company)
                # The first round warms connections, plans and code; it is not counted.
                if number > 0:
                    samples[report, "cold", company].append(cold)
                    samples[report, "cached", company].append(cached)
            if number <= RAW_ROUNDS:
                scope = Scope(CompanyId(LARGE), _PERIODS.get(report, Period()))
                took = await _raw(driver, make, scope)
                if number > 0:
                    samples[report, "raw", LARGE].append(took)
    await driver.close()
    return samples


async def _raw(driver: Driver, make: Make, scope: Scope) -> float:
    with patch.object(sum_sql, "select_cells", raw_cells):
        started = time.perf_counter()
        await make(driver, scope)
        return (time.perf_counter() - started) * 1000


def percentile(samples: Sequence[float]) -> float:
    """The 95th."""
    return statistics.quantiles(samples, n=20, method="inclusive")[-1]


def table_of(samples: Samples) -> Table:
    """The table of reports."""
    table = Table(title=f"Reports over {CALLS[LARGE]:,} calls and {report_facts.LEADS:,} leads, milliseconds")
    headings = ("report", "raw", "cold", "p95", "cached", "p95", "x faster than raw", "x of 100,000 calls")
    for heading in headings:
        table.add_column(heading, justify="left" if heading == "report" else "right")
    for report in REPORTS:
        raw = statistics.median(samples[report, "raw", LARGE])
        cold, cached = samples[report, "cold", LARGE], samples[report, "cached", LARGE]
        growth = statistics.median(
            large / small for large, small in zip(cold, samples[report, "cold", SMALL], strict=True)
        )
        table.add_row(
            report,
            f"{raw:.0f}",
            f"{statistics.median(cold):.1f}",
            f"{percentile(cold):.1f}",
            f"{statistics.median(cached):.1f}",
            f"{percentile(cached):.1f}",
            f"{raw / statistics.median(cold):.0f}",
            f"{growth:.2f}",
        )
    table.add_row("target", "", "", f"<= {COLD_TARGET}", "", "", f">= {RATIO_TARGET}", f"<= {GROWTH_TARGET}")
    return table


def _url(stack: Stack) -> str:
    """Of the database, as the superuser."""
    return stack.servers.postgres.url.rsplit("/", 1)[0] + "/analytics"


async def fill(stack: Stack) -> None:
    """Make both companies."""
    url = _url(stack)
    for company, calls in CALLS.items():
        await report_facts.load(url, company, calls)
    await report_facts.keep_raw_rows(url)


def main() -> None:
    """Bring up a stack of its own, measure, print the tables and keep them in ``benchmarks/results``."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    console = Console(record=True, width=120)
    with own_stack(_PRODUCT) as stack:
        asyncio.run(fill(stack))
        console.print(table_of(asyncio.run(measure(stack, rounds))))
        console.print(asyncio.run(report_events.measure_projection(stack)))
    console.print(f"{rounds} rounds, Python {platform.python_version()}, {os.cpu_count()} cores")
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "reports.txt").write_text(console.export_text())


if __name__ == "__main__":
    main()
