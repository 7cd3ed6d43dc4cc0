"""Answers questions about facts: from the cache, else from one state of the database."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Concatenate, ParamSpec

from fastapi import Depends, Request
from prometheus_client import Counter
from pydantic import BaseModel

from services.analytics_svc.reports import repository
from services.analytics_svc.reports.cache import ReportCache
from shared.database.engine import Database, Driver, driver_connection
from shared.http.json import JsonResponse

P = ParamSpec("P")

ANSWERS = Counter("report_answers_total", "Reports answered, and from where", ["report", "source"])


class Answers:
    """Makes answers, and keeps them while the company's facts are what they were."""

    def __init__(self, database: Database, cache: ReportCache) -> None:
        self._database = database
        self._cache = cache

    async def answer(
        self,
        company_id: int,
        report: Callable[Concatenate[Driver, P], Awaitable[BaseModel]],
        *args: P.args,
        **asked: P.kwargs,
    ) -> JsonResponse:
        """A report's answer.

        Parameters
        ----------
        report
            Makes it, on a connection that sees one state, and is kept under its name.
        asked
            All that the answer depends on besides the facts of the company.
        """
        name, question = report.__name__, repr((report.__name__, args, asked))
        async with self._database.reader() as driver:
            mark = await repository.ledger_mark(driver, company_id)
        if mark is not None and (kept := await self._cache.get(self._cache.key(company_id, mark, question))):
            ANSWERS.labels(name, "cache").inc()
            return JsonResponse(kept)
        async with self._database.snapshot() as connection:
            driver = await driver_connection(connection)
            mark = await repository.ledger_mark(driver, company_id)
            answer = (await report(driver, *args, **asked)).model_dump_json().encode()
        ANSWERS.labels(name, "facts").inc()
        if mark is not None:
            await self._cache.put(self._cache.key(company_id, mark, question), answer)
        return JsonResponse(answer)


def _answers(request: Request) -> Answers:
    answers: Answers = request.app.state.answers
    return answers


AnswersOfApp = Annotated[Answers, Depends(_answers)]
"""The app's answers."""
