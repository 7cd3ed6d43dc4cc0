"""Requests generated from the API document of imports and exports get documented responses, and never a 500."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager
from typing import Any

import asyncpg
import pytest
from fastapi import FastAPI

from services.lead_svc.app import MIGRATIONS, create_api_app
from shared.database.migrations import upgrade
from tests.contract.leads.test_openapi_conformance import DOCUMENT, TESTED, TOKEN
from tests.fixtures.conformance import STATUS_CHECKS, Generated, any_requests, bounded, served
from tests.fixtures.leads import lead_api_settings
from tests.fixtures.servers import ServerUrls
from tests.fixtures.serving import serving

SCHEMA = any_requests(DOCUMENT).exclude(path_regex=TESTED)
COMPANIES = (1, 2)
"""Companies that generated requests often name. Each has a campaign with the company's number as its id."""
ENDED = """
INSERT INTO imports
    (company_id, campaign_id, requested_by, filename, kind, size_bytes, default_values, status, finished_at)
VALUES ($1, $1, 'me', 'leads.csv', 'csv', 5, '{}', 'completed', now())
"""


@pytest.fixture(scope="module")
async def database(servers: ServerUrls) -> AsyncIterator[str]:
    """URL of a migrated database with a campaign and an import that has ended for each company."""
    url = await servers.create_database("conformance_of_files")
    await asyncio.to_thread(upgrade, MIGRATIONS, url)
    connection = await asyncpg.connect(url)
    for company in COMPANIES:
        await connection.execute(
            "INSERT INTO campaigns (id, company_id, status, version) VALUES ($1, $1, 'active', 1)", company
        )
        await connection.execute(ENDED, company)
    await connection.close()
    yield url
    await servers.drop_database(url)


@pytest.fixture(scope="module")
def address(servers: ServerUrls, database: str) -> Iterator[str]:
    """URL of the API. There is no worker: the API does not wait for an accepted import."""

    def api(campaign_svc_url: str) -> AbstractAsyncContextManager[str]:
        own = lead_api_settings(servers, database, campaign_svc_url).model_copy(update={"import_wait_seconds": 0.01})
        return serving(create_api_app(own))

    with served(lambda: serving(FastAPI()), api) as url:
        yield url


def test_between_them_the_two_modules_test_every_operation() -> None:
    tested = {(operation.method, operation.path) for operation in _operations(SCHEMA)}
    others = {
        (method, path) for path, methods in DOCUMENT["paths"].items() for method in methods if re.search(TESTED, path)
    }
    assert tested | others == {(method, path) for path, methods in DOCUMENT["paths"].items() for method in methods}
    assert len(tested) >= 9


def _operations(schema: Any) -> list[Any]:
    return [result.ok() for result in schema.get_all_operations()]


@SCHEMA.parametrize()
@bounded(25)
def test_any_request_gets_a_documented_response(case: Generated, address: str) -> None:
    if case.path.endswith("/events") and case.path_parameters.get("importId") not in COMPANIES:
        case.path_parameters["importId"] = COMPANIES[0]  # the stream of a job that has not ended would never close
    case.call_and_validate(base_url=address, headers=TOKEN, checks=STATUS_CHECKS)
