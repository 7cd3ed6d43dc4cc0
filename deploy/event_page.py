"""The page about events, ``docs/events.md``: prose from a template, and the catalogue type by type."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from string import Template
from typing import Any, Final

from shared.events.catalogue import CATALOGUE, EVENTS
from shared.events.envelope import CONTENT_TYPE, EventData
from shared.events.examples import example_of
from shared.events.leads import LEADS_PER_EVENT
from shared.events.schemas import Schema, message_and_parts, summary_and_details
from shared.messaging.topology import HISTORY_MAX_AGE, HISTORY_MAX_BYTES, HISTORY_STREAM, ExchangeName

TEMPLATE: Final = Path(__file__).with_name("events.template.md")

_REFERENCE: Final = "{model}"
_FORMATS: Final = {"date-time": "time", "uuid": "UUID"}


def page() -> str:
    """The whole page, in Markdown."""
    described = {data: message_and_parts(data, _REFERENCE) for data in EVENTS.values()}
    envelope = next(message for message, _ in described.values())
    own = {data.__name__ for data in EVENTS.values()}
    parts = {name: part for _, parts in described.values() for name, part in parts.items() if name not in own}
    return Template(TEMPLATE.read_text("utf-8")).substitute(
        exchange=ExchangeName.EVENTS.value,
        command_exchange=ExchangeName.COMMANDS.value,
        commands="`, `".join(sorted(CATALOGUE.keys() - EVENTS.keys())),
        stream=HISTORY_STREAM,
        days=HISTORY_MAX_AGE.removesuffix("D"),
        gigabytes=HISTORY_MAX_BYTES // 1_000_000_000,
        content_type=CONTENT_TYPE,
        most=LEADS_PER_EVENT,
        envelope=_table(_with_open_type(envelope["properties"])),
        index=_index(EVENTS.values()),
        types="\n\n".join(_type(data, parts[data.__name__]) for data, (_, parts) in described.items()),
        parts="\n\n".join(_part(name, part, parts) for name, part in sorted(parts.items())),
    )


def _with_open_type(fields: Mapping[str, Schema]) -> dict[str, Schema]:
    """The envelope's fields as they are in messages of any type."""
    any_type = {key: value for key, value in fields["type"].items() if key != "const"}
    return {**fields, "type": any_type, "data": {"type": "object", "description": fields["data"]["description"]}}


def _index(types: Iterable[type[EventData]]) -> str:
    rows = [
        f"| [`{data.event_type}`](#{_anchor(data.event_type)}) | {summary_and_details(data)[0]} |" for data in types
    ]
    return "\n".join(["| Type | What happened |", "| --- | --- |", *rows])


def _type(data: type[EventData], part: Schema) -> str:
    summary, description = summary_and_details(data)
    example = json.dumps(example_of(data), indent=2, ensure_ascii=False)
    return "\n\n".join(
        [
            f"### {data.event_type}",
            summary,
            *([description] if description else []),
            _table(part["properties"]),
            f"<details><summary>Example</summary>\n\n```json\n{example}\n```\n\n</details>",
        ]
    )


def _part(name: str, part: Schema, parts: Mapping[str, Schema]) -> str:
    fields = part["properties"]
    core = _core(name, parts)
    if core is not None:
        fields = {field: schema for field, schema in fields.items() if field not in parts[core]["properties"]}
    whole = [] if core is None else [f"All of a {_link(core)}, and:"]
    return "\n\n".join([f"### {name}", part["description"], *whole, _table(fields)])


def _core(name: str, parts: Mapping[str, Schema]) -> str | None:
    """The other part, if there is one, of which this one has every field, and more."""
    fields = parts[name]["properties"].items()
    return next((other for other, part in parts.items() if part["properties"].items() < fields), None)


def _table(fields: Mapping[str, Schema]) -> str:
    rows = [f"| `{name}` | {_kind(schema)} | {schema['description']} |" for name, schema in fields.items()]
    return "\n".join(["| Field | Is | |", "| --- | --- | --- |", *rows])


def _kind(schema: Mapping[str, Any]) -> str:
    """What a field may be, in words."""
    if "$ref" in schema:
        return _link(schema["$ref"])
    if "anyOf" in schema:
        return " or ".join(_kind(one) for one in schema["anyOf"])
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if schema["type"] == "array":
        return f"list of {_kind(schema['items'])}{_bounds(schema, 'minItems', 'maxItems')}"
    word: str = schema["type"]
    return _FORMATS.get(schema.get("format", ""), word) + _bounds(schema, "minimum", "maximum")


def _bounds(schema: Mapping[str, Any], least: str, most: str) -> str:
    if least in schema and most in schema:
        return f" ({schema[least]} to {schema[most]})"
    return f" (from {schema[least]})" if least in schema else ""


def _link(part: str) -> str:
    return f"[{part}](#{_anchor(part)})"


def _anchor(heading: str) -> str:
    return heading.lower().replace(".", "")
