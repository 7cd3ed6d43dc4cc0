"""What the gateway serves of the events to programs that subscribe to them."""

import jsonschema_rs
import pytest

from shared.events.catalogue import CATALOGUE, EVENTS
from shared.events.examples import example_of
from tests.fixtures.gateway import Gateway


async def test_the_asyncapi_document_is_served(gateway: Gateway) -> None:
    response = await gateway.http.get("/events/asyncapi.json")

    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
    document = response.json()
    assert document["asyncapi"] == "3.0.0"
    assert {channel["address"] for channel in document["channels"].values()} == EVENTS.keys()


@pytest.mark.parametrize("event_type", EVENTS)
async def test_a_types_schema_is_served_by_its_name(gateway: Gateway, event_type: str) -> None:
    response = await gateway.http.get(f"/events/schemas/{event_type}")

    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
    jsonschema_rs.Draft202012Validator(response.json()).validate(example_of(EVENTS[event_type]))
    as_file = await gateway.http.get(f"/events/schemas/{event_type}.json")
    assert (as_file.status_code, as_file.headers["Content-Type"]) == (200, "application/json")
    assert as_file.content == response.content


@pytest.mark.parametrize(
    "path",
    [
        "/events",
        "/events/",
        "/events/asyncapi",
        "/events/asyncapi.json/",
        "/events/schemas",
        "/events/schemas/",
        "/events/schemas/.json",
        "/events/schemas/lead.created",
        "/events/schemas/lead.created.v1/",
        "/events/schemas/lead.created.v1.json.json",
        "/events/schemas/lead.created.v99",
        "/events/schemas/../asyncapi",
        "/events/schemas/..%2fasyncapi",
        "/events/schemas/%2e%2e/%2e%2e/docs/openapi",
        *(f"/events/schemas/{command}" for command in CATALOGUE.keys() - EVENTS.keys()),
    ],
)
async def test_what_there_is_no_schema_of_is_not_found(gateway: Gateway, path: str) -> None:
    response = await gateway.http.get(path)

    assert response.status_code == 404
    assert response.headers["Content-Type"] == "application/json"
    assert response.json() == {"message": "Resource not found", "error": "No resource at this path"}


@pytest.mark.parametrize("path", ["/events/asyncapi.json", "/events/schemas/lead.created.v1"])
async def test_what_changes_with_the_events_is_revalidated_and_not_sent_again(gateway: Gateway, path: str) -> None:
    first = await gateway.http.get(path)
    assert first.headers["Cache-Control"] == "no-cache"
    assert first.headers["X-Request-ID"]

    second = await gateway.http.get(path, headers={"If-None-Match": first.headers["ETag"]})

    assert (second.status_code, second.content) == (304, b"")


@pytest.mark.parametrize("path", ["/events/asyncapi.json", "/events/schemas/lead.created.v1"])
async def test_it_is_only_read(gateway: Gateway, path: str) -> None:
    response = await gateway.http.post(path, content=b"x")

    assert response.status_code == 405
    assert response.json()["message"] == "Method not allowed"
