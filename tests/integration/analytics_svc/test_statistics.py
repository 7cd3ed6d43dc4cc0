"""The statistics against a plain recomputation from the list of events."""

from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.analytics_svc.reports.period import Period
from services.analytics_svc.reports.repository import Scope
from services.analytics_svc.reports.service import company_statistics
from shared.database.engine import Database
from shared.events.leads import LeadCallAttempted, LeadCreated
from tests.fixtures.analytics import forget_facts, project_all
from tests.fixtures.events import call, lead
from tests.integration.analytics_svc import recomputation
from tests.integration.analytics_svc.histories import COMPANIES, DAYS, FIRST_DAY, STATUSES, disorders, histories

days = st.none() | st.integers(-1, DAYS).map(lambda day: FIRST_DAY + timedelta(days=day))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
async def test_statistics_are_what_the_events_say(
    analytics_database: Database, analytics_url: str, data: st.DataObject
) -> None:
    told = data.draw(histories())
    await forget_facts(analytics_url)
    for batch in data.draw(disorders(told)):
        await project_all(analytics_database, *batch)
    for _ in range(4):
        first, last = data.draw(days), data.draw(days)
        company_id = data.draw(st.sampled_from(COMPANIES))
        status = data.draw(st.none() | st.sampled_from(STATUSES))
        async with analytics_database.snapshot() as connection:
            answer = await company_statistics(connection, Scope(company_id, Period(first, last), status))
        assert answer.model_dump(mode="json") == recomputation.statistics(told, company_id, first, last, status)


async def test_the_parts_of_a_report_see_one_state(analytics_database: Database) -> None:
    scope = Scope(1, Period(), None)
    async with analytics_database.snapshot() as connection:
        before = await company_statistics(connection, scope)
        await project_all(analytics_database, LeadCreated(leads=[lead(1)]), LeadCallAttempted(call_attempts=[call(1)]))
        assert await company_statistics(connection, scope) == before
    async with analytics_database.snapshot() as connection:
        assert (await company_statistics(connection, scope)).total_calls == 1
