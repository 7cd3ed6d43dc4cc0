"""The gateway: where each path of the contract leads, and what is answered where none does."""

import re
from typing import Any

import httpx
import pytest

from deploy.openapi import TOO_LARGE
from tests.fixtures.gateway import Caller, Gateway

CAMPAIGNS, LEADS, COMPANY_LEADS = "/api/voice-campaigns", "/api/voice-leads", "/api/company/voice-leads/company/1"

# Endpoint by endpoint, as the contract lists them.
CONTRACT = [
    ("POST", CAMPAIGNS),
    ("GET", f"{CAMPAIGNS}/1?company_id=1"),
    ("GET", CAMPAIGNS),
    ("GET", f"{CAMPAIGNS}/company/1"),
    ("GET", f"{CAMPAIGNS}/company/1/stats"),
    ("GET", f"{CAMPAIGNS}/company/1/active"),
    ("GET", f"{CAMPAIGNS}/company/1/performance"),
    ("GET", f"{CAMPAIGNS}/company/1/team-performance"),
    ("GET", f"{CAMPAIGNS}/company/1/cost-analysis"),
    ("GET", f"{CAMPAIGNS}/company/1/quality-metrics"),
    ("GET", f"{CAMPAIGNS}/1"),
    ("PUT", f"{CAMPAIGNS}/1"),
    ("DELETE", f"{CAMPAIGNS}/1"),
    ("PATCH", f"{CAMPAIGNS}/1/status"),
    ("GET", f"{CAMPAIGNS}/1/stats"),
    ("POST", f"{CAMPAIGNS}/1/start"),
    ("POST", f"{CAMPAIGNS}/1/pause"),
    ("POST", f"{CAMPAIGNS}/1/resume"),
    ("POST", f"{CAMPAIGNS}/1/complete"),
    ("POST", LEADS),
    ("GET", f"{LEADS}/company/1"),
    ("GET", f"{LEADS}/company/1/analytics"),
    ("GET", f"{LEADS}/company/1/quality-report"),
    ("GET", f"{LEADS}/company/1/assignment-stats"),
    ("GET", f"{LEADS}/company/1/conversion-analysis"),
    ("GET", f"{LEADS}/campaign/1"),
    ("GET", f"{LEADS}/1"),
    ("PUT", f"{LEADS}/1"),
    ("DELETE", f"{LEADS}/1"),
    ("PATCH", f"{LEADS}/1/status"),
    ("PATCH", f"{LEADS}/1/assign"),
    ("PATCH", f"{LEADS}/1/schedule"),
    ("POST", f"{LEADS}/1/call-attempt"),
    ("PATCH", f"{LEADS}/1/convert"),
    ("GET", f"{LEADS}/campaign/1/stats"),
    ("PATCH", f"{COMPANY_LEADS}/bulk-update"),
    ("PATCH", f"{COMPANY_LEADS}/bulk-assign"),
    ("POST", f"{COMPANY_LEADS}/import"),
    ("POST", f"{COMPANY_LEADS}/import-json"),
    ("GET", f"{COMPANY_LEADS}/export"),
]


def error_of(response: httpx.Response) -> dict[str, Any]:
    """The body of an error, which must have the contract's shape."""
    assert response.headers["Content-Type"] == "application/json", response.text
    body: dict[str, Any] = response.json()
    assert set(body) == {"message", "error"}
    assert all(isinstance(text, str) and text for text in body.values())
    return body


@pytest.mark.parametrize(("method", "path"), CONTRACT)
async def test_a_path_of_the_contract_reaches_its_service(gateway: Gateway, method: str, path: str) -> None:
    response = await gateway.http.request(method, path)

    body = error_of(response)
    assert (response.status_code, body["message"]) == (401, "Authentication required")


@pytest.mark.parametrize("path", ["/", "/index.html", "/api", "/api/", "/api/voice-campaign", "/api/voice-leadsx/1"])
async def test_an_unknown_path_is_not_found(gateway: Gateway, path: str) -> None:
    response = await gateway.http.get(path)

    assert response.status_code == 404
    assert error_of(response)["message"] == "Resource not found"


async def test_nothing_of_a_services_own_pages_is_reachable(gateway: Gateway) -> None:
    for path in ("/readyz", "/metrics", "/redoc", "/gateway-error", "/import-too-large"):
        response = await gateway.http.get(path)
        assert response.status_code == 404, path
        error_of(response)


async def test_the_apis_page_is_the_gateways_own(gateway: Gateway) -> None:
    page = await gateway.http.get("/docs")

    assert page.status_code == 200
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "/docs/initializer.js" in page.text


async def test_every_operation_of_the_document_is_served(gateway: Gateway) -> None:
    document = (await gateway.http.get("/openapi.json")).json()

    for path, operations in document["paths"].items():
        for method in operations:
            response = await gateway.http.request(method, re.sub(r"{\w+}", "1", path))
            assert (response.status_code, error_of(response)["message"]) == (401, "Authentication required"), path


async def test_a_method_that_a_path_does_not_have_is_refused(caller: Caller) -> None:
    response = await caller.gateway.http.delete(caller.import_path, headers=caller.headers)

    assert response.status_code == 405
    assert response.headers["Allow"] == "POST"
    error_of(response)


async def test_the_gateway_is_alive(gateway: Gateway) -> None:
    response = await gateway.http.get("/healthz")

    assert (response.status_code, response.json()) == (200, {"status": "alive"})


async def test_a_body_beyond_the_limit_of_other_paths_is_refused(caller: Caller) -> None:
    body = b'{"name":"' + b"n" * 1_100_000 + b'"}'

    response = await caller.gateway.http.post("/api/voice-campaigns", content=body, headers=caller.headers)

    assert (response.status_code, response.json()) == (413, TOO_LARGE)


async def test_every_answer_names_its_request(caller: Caller) -> None:
    for path in ("/api/voice-campaigns", "/api/voice-leads/0", "/nowhere"):
        first, second = await caller.get(path), await caller.get(path)
        assert re.fullmatch(r"[0-9a-f]{32}", first.headers["X-Request-ID"])
        assert first.headers["X-Request-ID"] != second.headers["X-Request-ID"]


async def test_a_request_keeps_the_id_it_came_with(caller: Caller) -> None:
    for path in ("/api/voice-campaigns", "/nowhere"):
        response = await caller.gateway.http.get(path, headers=caller.headers | {"X-Request-ID": "order-66.a:b"})
        assert response.headers.get_list("X-Request-ID") == ["order-66.a:b"]


async def test_a_request_id_that_would_spoil_a_log_is_replaced(caller: Caller) -> None:
    response = await caller.gateway.http.get(
        "/api/voice-campaigns", headers=caller.headers | {"X-Request-ID": 'evil" \\ id'}
    )

    assert re.fullmatch(r"[0-9a-f]{32}", response.headers["X-Request-ID"])
