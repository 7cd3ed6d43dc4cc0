"""The gateway's configuration, on nginx before stand-ins for the services."""

import json
import re
import shutil
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local import gateway as gateway_module
from deploy.local import ports
from deploy.local.binaries import find_or_install
from deploy.local.child import Child, Command, inherited_environment
from deploy.local.gateway import DOCS, gateway, render
from deploy.local.probes import http_ok
from deploy.local.state_directory import StateDirectory
from tests.deploy.stub_product import STUB, UPSTREAMS
from tests.fixtures.run_directory import RunDirectory
from tests.fixtures.servers import temporary_state

MEGABYTE = 1024 * 1024
IMPORT = "/api/company/voice-leads/company/1/import"


@dataclass(frozen=True, slots=True)
class Site:
    """A gateway and what stands behind it."""

    client: httpx.Client
    services: dict[str, Child]
    log: Path


def _stub_child(state: StateDirectory, name: str) -> Child:
    port = state.port(name)
    environment = inherited_environment() | {"HOST": ports.LOOPBACK, "PORT": str(port)}
    command = Command(name=name, argv=(sys.executable, STUB, name), env=environment, cwd=state.path)
    return Child(state, command, lambda: http_ok(port, "/readyz"))


@pytest.fixture(scope="module")
def site(run_directory: RunDirectory) -> Iterator[Site]:
    nginx = find_or_install(print).nginx
    with temporary_state(run_directory) as path, pytest.MonkeyPatch.context() as patch:
        state = StateDirectory(path)
        state.lock()
        # The real patience would make the test of it last over a minute.
        hasty = path / "nginx.conf.template"
        hasty.write_text(gateway_module.TEMPLATE.read_text().replace("proxy_read_timeout 75s", "proxy_read_timeout 1s"))
        patch.setattr(gateway_module, "TEMPLATE", hasty)
        docs = path / "a checkout" / "docs"
        shutil.copytree(gateway_module.DOCS, docs)
        patch.setattr(gateway_module, "DOCS", docs)
        state.claim_ports([*UPSTREAMS.values(), "gateway"])
        services = {name: _stub_child(state, name) for name in UPSTREAMS.values()}
        addresses = {name: f"{ports.LOOPBACK}:{state.port(process)}" for name, process in UPSTREAMS.items()}
        front = gateway(state, nginx, state.port("gateway"), addresses)
        children = [*services.values(), front]
        try:
            for child in children:
                child.start()
            url = f"http://{ports.LOOPBACK}:{state.port('gateway')}"
            with httpx.Client(base_url=url, trust_env=False, timeout=10) as client:
                yield Site(client, services, front.log)
        finally:
            for child in reversed(children):
                child.stop()
            state.release()


@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("/api/voice-campaigns", "campaign-api"),
        ("/api/voice-campaigns?company_id=1", "campaign-api"),
        ("/api/voice-campaigns/7", "campaign-api"),
        ("/api/voice-campaigns/7/status", "campaign-api"),
        ("/api/voice-campaigns/7/start", "campaign-api"),
        ("/api/voice-campaigns/company/1", "campaign-api"),
        ("/api/voice-campaigns/company/1/active", "campaign-api"),
        ("/api/voice-campaigns/company/1/stats", "analytics-api"),
        ("/api/voice-campaigns/company/1/stats?start_date=2024-01-01", "analytics-api"),
        ("/api/voice-campaigns/company/1/performance", "analytics-api"),
        ("/api/voice-campaigns/company/1/team-performance", "analytics-api"),
        ("/api/voice-campaigns/company/1/cost-analysis", "analytics-api"),
        ("/api/voice-campaigns/company/1/quality-metrics", "analytics-api"),
        ("/api/voice-campaigns/7/stats", "analytics-api"),
        ("/api/voice-leads", "lead-api"),
        ("/api/voice-leads/9", "lead-api"),
        ("/api/voice-leads/9/call-attempt", "lead-api"),
        ("/api/voice-leads/company/1", "lead-api"),
        ("/api/voice-leads/company/1/analytics", "analytics-api"),
        ("/api/voice-leads/company/1/quality-report", "analytics-api"),
        ("/api/voice-leads/company/1/assignment-stats", "analytics-api"),
        ("/api/voice-leads/company/1/conversion-analysis", "analytics-api"),
        ("/api/voice-leads/campaign/7", "lead-api"),
        ("/api/voice-leads/campaign/7/stats", "analytics-api"),
        ("/api/company/voice-leads/company/1/bulk-update", "lead-api"),
        ("/api/company/voice-leads/company/1/import", "lead-api"),
        ("/api/company/voice-leads/company/1/imports/3", "lead-api"),
        ("/api/company/voice-leads/company/1/import-json", "lead-api"),
        ("/api/company/voice-leads/company/1/export?format=xlsx", "lead-api"),
        ("/api/webhooks/company/1/subscriptions", "webhook-api"),
        ("/api/webhooks/company/1/subscriptions/7/deliveries?status=failed", "webhook-api"),
    ],
)
def test_a_path_of_the_contract_reaches_its_service_unchanged(site: Site, path: str, service: str) -> None:
    answer = site.client.get(path)
    assert answer.status_code == 200
    assert (answer.json()["service"], answer.json()["path"]) == (service, path)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/metrics",
        "/readyz",
        "/docsX",
        "/docs/nothing",
        "/docs/swagger-ui",
        "/docs/swagger-ui/",
        "/docs/%2e%2e/nginx.conf.template",
        "/openapi.json/",
        "/api",
        "/api/",
        "/api/users",
        "/api/voice-campaignsX",
        "/api/%2e%2e/metrics",
    ],
)
def test_any_other_path_is_not_found(site: Site, path: str) -> None:
    answer = site.client.get(path)
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json()["message"] == "Resource not found"


def test_the_gateway_reports_that_it_is_alive(site: Site) -> None:
    answer = site.client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 500, 502, 503])
def test_an_error_of_a_service_passes_as_it_is(site: Site, status: int) -> None:
    answer = site.client.get(f"/api/voice-leads/status/{status}")
    assert answer.status_code == status
    assert answer.json()["service"] == "lead-api"


def test_a_file_of_ten_megabytes_and_its_form_pass(site: Site) -> None:
    answer = site.client.post(IMPORT, files={"file": ("leads.csv", b"x" * (10 * MEGABYTE))}, data={"campaign_id": "1"})
    assert answer.status_code == 200
    assert answer.json()["body_bytes"] > 10 * MEGABYTE


def test_a_larger_file_gets_the_response_of_the_contract(site: Site) -> None:
    answer = site.client.post(IMPORT, files={"file": ("leads.csv", b"x" * (10 * MEGABYTE + 65 * 1024))})
    assert answer.status_code == 400
    assert answer.json() == {"message": "Error importing leads", "error": "File size exceeds 10MB limit"}


@pytest.mark.parametrize(
    ("path", "size", "status"),
    [
        ("/api/company/voice-leads/company/1/import-json", 10 * MEGABYTE, 200),
        ("/api/company/voice-leads/company/1/import-json", 10 * MEGABYTE + 1, 413),
        ("/api/voice-leads", MEGABYTE, 200),
        ("/api/voice-leads", MEGABYTE + 1, 413),
        ("/api/voice-campaigns", MEGABYTE + 1, 413),
    ],
)
def test_a_body_is_limited(site: Site, path: str, size: int, status: int) -> None:
    answer = site.client.post(path, content=b"x" * size)
    assert answer.status_code == status
    if status == 413:
        assert set(answer.json()) == {"message", "error"}


def test_a_larger_file_of_numbers_is_answered_as_the_service_answers_it(site: Site) -> None:
    path = "/api/company/voice-leads/company/1/do-not-call/import"
    fits = site.client.post(path, files={"file": ("numbers.csv", b"x" * MEGABYTE)})
    assert fits.status_code == 200
    answer = site.client.post(path, files={"file": ("numbers.csv", b"x" * (MEGABYTE + 65 * 1024))})
    assert answer.status_code == 400
    assert answer.json() == {"message": "Error importing numbers", "error": "File size exceeds 1MB limit"}


def test_a_body_without_a_length_is_limited_too(site: Site) -> None:
    chunks = (b"x" * MEGABYTE for _ in range(12))
    answer = site.client.post(IMPORT, content=chunks)
    assert answer.status_code == 400
    assert answer.json()["error"] == "File size exceeds 10MB limit"


@pytest.mark.parametrize(
    ("request_text", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET /api/voice-leads HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * 20_000 + b"\r\n\r\n", 400),
        (b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
    ],
)
def test_a_request_that_is_none_is_answered_in_json(site: Site, request_text: bytes, status: int) -> None:
    url = site.client.base_url
    with socket.create_connection((url.host, url.port or 80), timeout=5) as connection:
        connection.sendall(request_text)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert set(json.loads(body)) == {"message", "error"}


def test_a_request_id_is_passed_on_and_returned(site: Site) -> None:
    answer = site.client.get("/api/voice-leads/1", headers={"X-Request-ID": "call-42"})
    assert answer.json()["headers"]["x-request-id"] == "call-42"
    assert answer.headers.get_list("X-Request-ID") == ["call-42"]


@pytest.mark.parametrize("sent", [{}, {"X-Request-ID": 'two words "quoted"'}, {"X-Request-ID": "x" * 129}])
def test_a_request_id_is_made_when_there_is_none_that_can_be_used(site: Site, sent: dict[str, str]) -> None:
    answer = site.client.get("/api/voice-leads/1", headers=sent)
    made = answer.json()["headers"]["x-request-id"]
    assert len(made) == 32
    assert answer.headers["X-Request-ID"] == made


def test_requests_share_a_connection_to_their_service(site: Site) -> None:
    connections = {site.client.get("/api/voice-campaigns/1").json()["connection"] for _ in range(20)}
    # One for each worker of nginx at most.
    assert len(connections) <= 4


def logged(site: Site) -> list[dict[str, Any]]:
    """What the gateway has logged so far."""
    return [json.loads(line) for line in site.log.read_text().splitlines() if line.startswith("{")]


def test_each_request_is_one_json_line_in_the_log_without_its_query(site: Site) -> None:
    site.client.get(
        '/api/voice-leads/5?search="Jane"', headers={"X-Request-ID": "in-the-log", "User-Agent": 'a "quoted" \\ one'}
    )
    # A request is logged after it was answered.
    deadline = time.monotonic() + 10
    while not (entries := [entry for entry in logged(site) if entry["request_id"] == "in-the-log"]):
        assert time.monotonic() < deadline, "not logged in time"
        time.sleep(0.02)
    [entry] = entries
    assert (entry["path"], entry["status"], entry["upstream_status"]) == ("/api/voice-leads/5", 200, "200")
    assert float(entry["upstream_s"]) >= 0
    assert "Jane" not in json.dumps(entry)


def test_a_service_that_takes_too_long_is_a_gateway_timeout(site: Site) -> None:
    answer = site.client.get("/api/voice-leads/sleep")
    assert answer.status_code == 504
    assert set(answer.json()) == {"message", "error"}


def test_a_service_that_is_down_is_a_bad_gateway_and_others_still_answer(site: Site) -> None:
    site.services["analytics-api"].stop()
    answer = site.client.get("/api/voice-campaigns/1/stats")
    assert answer.status_code == 502
    assert answer.json()["message"] == "Bad gateway"
    assert site.client.get("/api/voice-campaigns/1").status_code == 200
    site.services["analytics-api"].start()
    assert site.client.get("/api/voice-campaigns/1/stats").status_code == 200


@pytest.mark.parametrize("path", ["/docs", "/docs/", "/docs?from=a-link"])
def test_the_apis_page_is_there_and_may_use_nothing_but_this_host(site: Site, path: str) -> None:
    answer = site.client.get(path, headers={"X-Request-ID": "page-42"})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.text == (DOCS / "index.html").read_text()
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Request-ID"] == "page-42"
    policy = dict(rule.strip().split(" ", 1) for rule in answer.headers["Content-Security-Policy"].split(";"))
    assert policy.pop("img-src") == "'self' data:"
    assert policy["default-src"] == "'none'"
    assert set(policy.values()) == {"'none'", "'self'"}


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/docs/initializer.js", "text/javascript; charset=utf-8"),
        ("/docs/swagger-ui/swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
        ("/docs/swagger-ui/swagger-ui.css", "text/css; charset=utf-8"),
        ("/docs/swagger-ui/favicon-32x32.png", "image/png"),
        ("/docs/swagger-ui/LICENSE", "text/plain; charset=utf-8"),
    ],
)
def test_a_part_of_the_page_is_served_as_what_it_is(site: Site, path: str, media_type: str) -> None:
    answer = site.client.get(path)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == media_type
    assert answer.content == (DOCS / path.removeprefix("/docs/")).read_bytes()


def test_the_page_names_no_part_that_is_not_served_here(site: Site) -> None:
    named = re.findall(r'(?:src|href)="([^"]*)"', (DOCS / "index.html").read_text())
    assert named
    for path in named:
        assert path.startswith("/")
        assert site.client.get(path).status_code == 200


@pytest.mark.parametrize("file", ["index.html", "initializer.js"])
def test_the_page_names_no_other_host(file: str) -> None:
    assert re.findall(r"""\w+:/|["'(]//""", (DOCS / file).read_text()) == []


def test_the_apis_document_is_served_compressed(site: Site) -> None:
    answer = site.client.get("/openapi.json")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.content == (DOCS / "openapi.json").read_bytes()


@pytest.mark.parametrize("path", ["/docs", "/docs/initializer.js", "/openapi.json"])
def test_what_changes_with_the_api_is_revalidated_and_not_sent_again(site: Site, path: str) -> None:
    first = site.client.get(path)
    assert first.headers["Cache-Control"] == "no-cache"
    second = site.client.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (second.status_code, second.content) == (304, b"")


def test_swagger_ui_is_cached_for_a_day(site: Site) -> None:
    answer = site.client.head("/docs/swagger-ui/swagger-ui-bundle.js")
    assert answer.headers["Cache-Control"] == "max-age=86400"


@pytest.mark.parametrize("path", ["/docs", "/openapi.json", "/docs/initializer.js"])
def test_the_page_is_only_read(site: Site, path: str) -> None:
    answer = site.client.post(path, content=b"x")
    assert answer.status_code == 405
    assert answer.json()["message"] == "Method not allowed"


def test_only_known_names_are_filled_in() -> None:
    assert render("listen ${PORT}; return $uri ${OTHER};", {"PORT": "80"}) == "listen 80; return $uri ${OTHER};"
