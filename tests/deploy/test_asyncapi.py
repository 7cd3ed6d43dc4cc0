"""The documents about events for subscribers: complete, true and readable by their tools."""

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

import deploy.asyncapi
from deploy.asyncapi import DOCUMENT, PAGE, SCHEMAS, files, write
from shared.events.catalogue import CATALOGUE, EVENTS
from shared.events.examples import example_of

ASYNCAPI: dict[str, Any] = json.loads(Path(__file__).with_name("asyncapi").joinpath("3.0.0.json").read_text("utf-8"))
ASYNCAPI_DOCUMENT: dict[str, Any] = json.loads(DOCUMENT.read_text("utf-8"))
TEXT = PAGE.read_text("utf-8")
EVERY_EVENT = pytest.mark.parametrize("event_type", EVENTS)
COMMANDS = CATALOGUE.keys() - EVENTS.keys()


def by_type(event_type: str) -> str:
    """How the document calls a type."""
    return EVENTS[event_type].__name__


def references(node: object) -> Iterator[str]:
    """Every reference of a JSON document."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def resolved(reference: str) -> Any:
    """What a reference into the document means."""
    node: Any = ASYNCAPI_DOCUMENT
    for key in reference.removeprefix("#/").split("/"):
        node = node[key]
    return node


@pytest.mark.parametrize("path", files(), ids=lambda path: path.name)
def test_a_file_is_generated_from_the_catalogue(path: Path) -> None:
    assert path.read_text("utf-8") == files()[path], "the events have changed: `make asyncapi` writes it again"


def test_there_is_no_schema_of_what_is_no_event() -> None:
    assert {path.name for path in SCHEMAS.iterdir()} == {f"{event_type}.json" for event_type in EVENTS}


def test_the_schema_of_a_type_that_is_no_more_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deploy.asyncapi, "SCHEMAS", tmp_path / "schemas")
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "lead.gone.v1.json").write_text("{}")
    stored = tmp_path / "schemas" / "lead.stored.v1.json"

    write({stored: "{}\n"})

    assert list((tmp_path / "schemas").iterdir()) == [stored]


def test_the_document_is_asyncapi() -> None:
    jsonschema_rs.Draft7Validator(ASYNCAPI, validate_formats=True).validate(ASYNCAPI_DOCUMENT)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("asyncapi",), "2.6.0"),
        (("operations", "emitLeadCreated", "action"), "publish"),
        (("channels", "LeadCreated", "bindings", "amqp", "is"), "exchange"),
        (("components", "messages", "LeadCreated", "payload"), "leads"),
    ],
)
def test_what_is_no_asyncapi_would_be_found(path: tuple[str, ...], value: str) -> None:
    wrong = copy.deepcopy(ASYNCAPI_DOCUMENT)
    node = wrong
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value

    assert not jsonschema_rs.Draft7Validator(ASYNCAPI).is_valid(wrong)


def test_every_tag_is_described() -> None:
    described = {tag["name"] for tag in ASYNCAPI_DOCUMENT["info"]["tags"] if tag["description"]}
    assert described == {event_type.partition(".")[0] for event_type in EVENTS}


def test_every_reference_leads_somewhere() -> None:
    found = set(references(ASYNCAPI_DOCUMENT))
    assert found
    for reference in found:
        assert resolved(reference)


@EVERY_EVENT
def test_a_type_is_a_channel_by_its_routing_key(event_type: str) -> None:
    channel = ASYNCAPI_DOCUMENT["channels"][by_type(event_type)]

    assert channel["address"] == event_type
    assert channel["bindings"]["amqp"]["is"] == "routingKey"
    assert channel["bindings"]["amqp"]["exchange"]["name"] == "voice.events"
    assert list(channel["messages"]) == [by_type(event_type)]


@EVERY_EVENT
def test_the_product_sends_each_type(event_type: str) -> None:
    operation = ASYNCAPI_DOCUMENT["operations"][f"emit{by_type(event_type)}"]

    assert operation["action"] == "send"
    assert resolved(operation["channel"]["$ref"])["address"] == event_type


@EVERY_EVENT
def test_the_example_of_a_message_conforms_to_its_schema(event_type: str) -> None:
    message = ASYNCAPI_DOCUMENT["components"]["messages"][by_type(event_type)]
    payload = {"$ref": message["payload"]["$ref"], "components": ASYNCAPI_DOCUMENT["components"]}

    assert message["name"] == event_type
    [example] = message["examples"]
    assert example["payload"] == example_of(EVENTS[event_type])
    jsonschema_rs.Draft7Validator(payload, validate_formats=True).validate(example["payload"])
    jsonschema_rs.Draft7Validator(message["headers"]).validate(example["headers"])
    assert not jsonschema_rs.Draft7Validator(payload).is_valid(example["payload"] | {"type": "lead.other.v1"})


def test_commands_are_nowhere_to_be_subscribed_to() -> None:
    assert COMMANDS
    for command in COMMANDS:
        assert command not in json.dumps(ASYNCAPI_DOCUMENT)
        assert f"### {command}" not in TEXT
        assert command in TEXT.partition("## Commands")[2]


@EVERY_EVENT
def test_the_page_has_a_section_of_each_type(event_type: str) -> None:
    section = TEXT.partition(f"\n### {event_type}\n")[2].partition("\n### ")[0]

    assert "| Field | Is | |" in section
    [example] = re.findall(r"```json\n(.*?)```", section, re.DOTALL)
    assert json.loads(example) == example_of(EVENTS[event_type])


@EVERY_EVENT
def test_the_page_names_every_field(event_type: str) -> None:
    schema = json.loads((SCHEMAS / f"{event_type}.json").read_text("utf-8"))
    for part in (schema, *schema["$defs"].values()):
        for field, described in part["properties"].items():
            assert re.search(rf"^\| `{field}` \| .+ \| {re.escape(described['description'])} \|$", TEXT, re.MULTILINE)


def test_every_link_of_the_page_leads_somewhere() -> None:
    headings = {re.sub(r"[^\w -]", "", name.lower()).replace(" ", "-") for name in re.findall(r"^#+ (.+)$", TEXT, re.M)}
    links = re.findall(r"\]\(([^)]+)\)", TEXT)

    assert links
    for link in links:
        assert link.removeprefix("#") in headings if link.startswith("#") else (PAGE.parent / link).exists(), link
