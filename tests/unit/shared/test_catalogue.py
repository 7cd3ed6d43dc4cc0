"""Messages match the catalogue and their schemas."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime

import jsonschema_rs
import orjson
import polars as pl
import pytest
from cloudevents.core.formats.json import JSONFormat

import services.campaign_svc.outbox
import services.lead_svc.outbox
from services.lead_svc.imports.loading.copy import created_events
from shared.events.catalogue import CATALOGUE, EVENTS
from shared.events.envelope import EventData, Serialized, compose, parse
from shared.events.examples import EXAMPLES, SOURCES, example_of
from shared.events.imports import ImportRequested
from shared.events.leads import LEADS_PER_EVENT, CallAttempt, Lead, LeadCallAttempted, LeadCreated
from shared.events.schemas import message_schema
from tests.fixtures.events import validator

NOW = datetime(2026, 3, 1, 9, 0, 0, 123456, tzinfo=UTC)
EVERY_EVENT = pytest.mark.parametrize("data", EVENTS.values(), ids=EVENTS)


def imported(rows: int) -> pl.DataFrame:
    """Leads as an import has them when it writes their events."""
    return pl.DataFrame(
        {
            "id": list(range(1, rows + 1)),
            "campaign_id": [7] * rows,
            "company_id": [3] * rows,
            "first_name": ['Zoë "Z" \\ \n'] * rows,
            "last_name": [None] * rows,
            "phone": ["+14155552671"] * rows,
            "email": [None] * rows,
            "status": ["pending"] * rows,
            "priority": [3] * rows,
            "source": ["bulk_import"] * rows,
            "lead_score": [None] * rows,
            "interest_level": [None] * rows,
            "assigned_to": [None] * rows,
            "notes": ["not in the event"] * rows,
        },
        schema_overrides={"lead_score": pl.Int16, "assigned_to": pl.Int64, "priority": pl.Int16},
    )


def test_events_of_an_import_match_the_catalogue() -> None:
    rows = imported(LEADS_PER_EVENT + 1)
    events = [LeadCreated.model_validate_json(event.json, strict=True) for event in created_events(rows, NOW)]
    assert [len(data.leads) for data in events] == [LEADS_PER_EVENT, 1]
    leads = [lead for data in events for lead in data.leads]
    assert [lead.id for lead in leads] == rows["id"].to_list()
    assert leads[0] == Lead(
        id=1,
        version=1,
        campaign_id=7,
        company_id=3,
        first_name='Zoë "Z" \\ \n',
        last_name=None,
        phone="+14155552671",
        email=None,
        status="pending",
        priority=3,
        source="bulk_import",
        lead_score=None,
        interest_level=None,
        assigned_to=None,
        created_at=NOW,
        updated_at=NOW,
    )


def test_an_envelope_has_type_company_and_a_unique_id() -> None:
    one = compose(ImportRequested(import_id=5), source="/lead-svc", company_id=3)
    other = compose(ImportRequested(import_id=5), source="/lead-svc", company_id=3)
    envelope = parse(one.body)
    assert (envelope.id, envelope.type, envelope.source, envelope.companyid, envelope.data) == (
        one.id,
        "import.requested.v1",
        "/lead-svc",
        3,
        {"import_id": 5},
    )
    assert one.id != other.id


def test_data_that_is_json_already_is_sent_as_it_is() -> None:
    outgoing = compose(Serialized("import.requested.v1", b'{"import_id":5}'), source="/lead-svc", company_id=3)
    assert parse(outgoing.body).data == {"import_id": 5}


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"\xff", b'{"specversion":"1.0"}'])
def test_a_body_that_is_not_an_event_is_rejected(body: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse(body)


def test_every_type_carries_its_version_and_is_named_by_its_class() -> None:
    for name, data in CATALOGUE.items():
        assert data.event_type == name
        assert re.search(r"\.v[1-9]\d*$", name)
        assert data.__doc__


def test_commands_are_not_for_subscribers() -> None:
    assert CATALOGUE.keys() - EVENTS.keys() == {ImportRequested.event_type}


def leaves(node: object) -> Iterator[object]:
    """Every value of a JSON document, of its lists only the first."""
    if isinstance(node, dict):
        for value in node.values():
            yield from leaves(value)
    elif isinstance(node, list):
        yield from leaves(node[0])
    else:
        yield node


def test_every_type_has_an_example() -> None:
    assert EXAMPLES.keys() == set(EVENTS.values())


@EVERY_EVENT
def test_an_example_is_a_message_of_its_type(data: type[EventData]) -> None:
    example = example_of(data)

    validator(data).validate(example)
    envelope = parse(json.dumps(example).encode())
    assert envelope.type == data.event_type
    data.model_validate_json(json.dumps(envelope.data), strict=True)


@EVERY_EVENT
def test_the_library_of_cloudevents_reads_a_message(data: type[EventData]) -> None:
    event = data.model_validate_json(json.dumps(example_of(data)["data"]))
    message = compose(event, source="/tests", company_id=3)

    read = JSONFormat().read(None, message.body)

    assert read.get_specversion() == "1.0"
    assert (read.get_id(), read.get_source(), read.get_type()) == (str(message.id), "/tests", data.event_type)
    assert read.get_datacontenttype() == "application/json"
    assert read.get_data() == json.loads(message.body)["data"]


@EVERY_EVENT
def test_an_example_has_something_to_show_for_every_field(data: type[EventData]) -> None:
    assert None not in list(leaves(example_of(data)))


@EVERY_EVENT
def test_an_example_has_one_company(data: type[EventData]) -> None:
    example = example_of(data)

    for part in example["data"].values():
        for entity in part if isinstance(part, list) else [part]:
            if isinstance(entity, dict):
                assert entity["company_id"] == example["companyid"]


@EVERY_EVENT
def test_every_field_is_explained(data: type[EventData]) -> None:
    schema = message_schema(data)
    unexplained = [
        f"{part['title']}.{name}"
        for part in (schema, *schema["$defs"].values())
        for name, field in part["properties"].items()
        if not field.get("description", "").endswith(".")
    ]
    assert unexplained == []


@EVERY_EVENT
def test_a_schema_is_one_and_names_itself(data: type[EventData]) -> None:
    schema = message_schema(data)

    assert jsonschema_rs.meta.is_valid(schema)
    assert schema["$id"] == f"urn:voice-campaigns:event:{data.event_type}"


@EVERY_EVENT
def test_a_schema_requires_every_field_and_allows_others(data: type[EventData]) -> None:
    schema = message_schema(data)
    for part in (schema, *schema["$defs"].values()):
        assert sorted(part["required"]) == sorted(part["properties"])

    validator(data).validate(example_of(data) | {"traceparent": "00-1-2-01"})


def test_a_schema_refuses_messages_of_another_type() -> None:
    assert not validator(LeadCreated).is_valid(example_of(LeadCallAttempted))


def test_those_who_speak_are_the_services_by_their_names() -> None:
    outboxes = (services.campaign_svc.outbox.outbox, services.lead_svc.outbox.outbox)
    assert set(SOURCES.values()) == {outbox._source for outbox in outboxes}


def test_events_of_an_import_match_their_schema() -> None:
    for event in created_events(imported(2), NOW):
        body = compose(event, source="/lead-svc", company_id=3).body
        validator(LeadCreated).validate(orjson.loads(body))


def test_an_event_of_a_call_without_scores_matches_its_schema() -> None:
    call = CallAttempt(
        id=1,
        lead_id=2,
        campaign_id=7,
        company_id=3,
        started_at=NOW,
        duration=0,
        successful=False,
        disposition=None,
        agent_id=None,
        cost=None,
    )
    body = compose(LeadCallAttempted(call_attempts=[call]), source="/lead-svc", company_id=3).body

    validator(LeadCallAttempted).validate(orjson.loads(body))
