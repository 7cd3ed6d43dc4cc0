"""Returns reports as JSON: from the cache, else computed from one state of the database."""

from collections.abc import Awaitable, Callable
from typing import Concatenate, ParamSpec

from prometheus_client import Counter
from pydantic import BaseModel

from services.analytics_svc.reports import repository
from services.analytics_svc.reports.cache import ReportCache
from shared.database.engine import Database, Driver, driver_connection
from shared.ids import CompanyId

P = ParamSpec("P")

REPORTS = Counter("report_answers_total", "Reports answered, by source: cache or facts", ["report", "source"])


class ReportService:
    """Computes reports and caches them for as long as the company's facts stay the same."""

    def __init__(self, database: Database, cache: ReportCache) -> None:
        self._database = database
        self._cache = cache

    async def get(
        self,
        company_id: CompanyId,
        report: Callable[Concatenate[Driver, P], Awaitable[BaseModel]],
        *args: P.args,
        **parameters: P.kwargs,
    ) -> bytes:
        """Return a report as JSON.

        Parameters
        ----------
        report
            Computes it on a connection that sees one state of the database; its name is part of the cache's key.
        parameters
            All that the report depends on in addition to the company's facts.
        """
        name, request = report.__name__, repr((report.__name__, args, parameters))
        async with self._database.reader() as driver:
            mark = await repository.ledger_mark(driver, company_id)
        if mark is not None and (cached := await self._cache.get(self._cache.key(company_id, mark, request))):
            REPORTS.labels(name, "cache").inc()
            return cached
        async with self._database.snapshot() as connection:
            driver = await driver_connection(connection)
            # The mark of the state that the report is computed from: the facts may have changed since the first one.
            mark = await repository.ledger_mark(driver, company_id)
            response = (await report(driver, *args, **parameters)).model_dump_json().encode()
        REPORTS.labels(name, "facts").inc()
        if mark is not None:
            await self._cache.put(self._cache.key(company_id, mark, request), response)
        return response
