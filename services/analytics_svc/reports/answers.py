"""Answers questions about facts: from the cache, else from one state of the database."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request
from prometheus_client import Counter
from pydantic import BaseModel

from services.analytics_svc.reports import repository
from services.analytics_svc.reports.cache import ReportCache
from shared.database.engine import Database, Driver, driver_connection
from shared.http.json import JsonResponse

ANSWERS = Counter("report_answers_total", "Reports answered, and from where", ["report", "source"])


class Answers:
    """Makes answers, and keeps them while the company's facts are what they were."""

    def __init__(self, database: Database, cache: ReportCache) -> None:
        self._database = database
        self._cache = cache

    async def answer(
        self, company_id: int, question: tuple[object, ...], make: Callable[[Driver], Awaitable[BaseModel]]
    ) -> JsonResponse:
        """The answer to a question.

        Parameters
        ----------
        question
            The report's name, and all that its answer depends on besides the facts of the company.
        make
            Makes it, on a connection that sees one state.
        """
        report = str(question[0])
        async with self._database.reader() as driver:
            mark = await repository.ledger_mark(driver, company_id)
        if mark is not None and (kept := await self._cache.get(self._cache.key(company_id, mark, repr(question)))):
            ANSWERS.labels(report, "cache").inc()
            return JsonResponse(kept)
        async with self._database.snapshot() as connection:
            driver = await driver_connection(connection)
            mark = await repository.ledger_mark(driver, company_id)
            answer = (await make(driver)).model_dump_json().encode()
        ANSWERS.labels(report, "facts").inc()
        if mark is not None:
            await self._cache.put(self._cache.key(company_id, mark, repr(question)), answer)
        return JsonResponse(answer)


def _answers(request: Request) -> Answers:
    answers: Answers = request.app.state.answers
    return answers


AnswersOfApp = Annotated[Answers, Depends(_answers)]
"""The app's answers."""
