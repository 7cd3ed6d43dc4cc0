"""The documents about events for subscribers, generated from the catalogue by ``python -m deploy.asyncapi``.

An AsyncAPI document and a JSON Schema of each type's messages, which the gateway serves, and a page for people.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from deploy.event_page import page
from shared.events.catalogue import EVENTS
from shared.events.envelope import CONTENT_TYPE, EventData
from shared.events.examples import example_of
from shared.events.publication import as_text
from shared.events.schemas import Schema, message_and_parts, message_schema, summary_and_details
from shared.messaging.topology import HISTORY_MAX_AGE, HISTORY_STREAM, ExchangeName

Document = dict[str, Any]

ROOT: Final = Path(__file__).parents[1]
DIRECTORY: Final = ROOT / "deploy" / "gateway" / "events"
DOCUMENT: Final = DIRECTORY / "asyncapi.json"
SCHEMAS: Final = DIRECTORY / "schemas"
PAGE: Final = ROOT / "docs" / "events.md"
PROJECT: Final = ROOT / "pyproject.toml"

AMQP_BINDING: Final = "0.3.0"
PERSISTENT: Final = 2

DESCRIPTION: Final = f"""\
Changes of campaigns, leads, imports and members, published on RabbitMQ's topic exchange `{ExchangeName.EVENTS}`. Bind
a queue of your own with the types that you want as routing keys: `lead.created.v1`, `lead.*.v1`, `#`.

Messages are CloudEvents 1.0 in structured JSON and come at least once: drop an `id` that you have applied already.
Ignore fields that you do not know. Each entity carries a `version`: drop what is older than what you have. The stream
`{HISTORY_STREAM}` keeps all of it for {HISTORY_MAX_AGE.removesuffix("D")} days, to be read from any point.

The messages of each channel as a JSON Schema (draft 2020-12): `/events/schemas/{{type}}`, beside this document."""

SUBJECTS: Final[Mapping[str, str]] = {
    "campaign": "Whom to call, when and how often.",
    "lead": "The people to call, and the calls.",
    "member": "A company's team members and agents.",
    "import": "Files of leads.",
}
"""Subjects of the types, by the first word of a type."""


def document() -> Document:
    """The AsyncAPI document of every event."""
    project = tomllib.loads(PROJECT.read_text("utf-8"))["project"]
    messages: dict[str, Document] = {}
    schemas: dict[str, Schema] = {}
    for data in EVENTS.values():
        payload, parts = message_and_parts(data, "#/components/schemas/{model}")
        schemas |= parts | {f"{data.__name__}Message": _without_example(payload)}
        messages[data.__name__] = _message(data)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Voice Campaigns: events",
            "version": project["version"],
            "description": DESCRIPTION,
            "tags": [{"name": name, "description": text} for name, text in SUBJECTS.items()],
        },
        "defaultContentType": CONTENT_TYPE,
        "servers": {"rabbitmq": _server()},
        "channels": {data.__name__: _channel(data) for data in EVENTS.values()},
        "operations": {f"emit{data.__name__}": _operation(data) for data in EVENTS.values()},
        "components": {
            "securitySchemes": {"user": {"type": "userPassword", "description": "A user of the virtual host."}},
            "messages": messages,
            "schemas": dict(sorted(schemas.items())),
        },
    }


def files() -> dict[Path, str]:
    """Everything that is written, by where."""
    return {
        DOCUMENT: as_text(document()),
        **{SCHEMAS / f"{name}.json": as_text(message_schema(data)) for name, data in EVENTS.items()},
        PAGE: page(),
    }


def write(texts: Mapping[Path, str]) -> None:
    """Write the files; schemas of types that are no more go."""
    SCHEMAS.mkdir(parents=True, exist_ok=True)
    for path in SCHEMAS.iterdir():
        if path not in texts:
            path.unlink()
    for path, text in texts.items():
        path.write_text(text, "utf-8")


def _server() -> Document:
    return {
        "host": "{host}:{port}",
        "pathname": "/{virtualHost}",
        "protocol": "amqp",
        "protocolVersion": "0.9.1",
        "description": "The broker. Whether it can be reached from elsewhere is up to whoever runs it.",
        "variables": {
            "host": {"default": "rabbitmq", "description": "As the other containers of the stack know it."},
            "port": {"default": "5672"},
            "virtualHost": {"default": "voice"},
        },
        "security": [{"$ref": "#/components/securitySchemes/user"}],
    }


def _channel(data: type[EventData]) -> Document:
    return {
        "address": data.event_type,
        "title": data.event_type,
        "summary": summary_and_details(data)[0],
        "servers": [{"$ref": "#/servers/rabbitmq"}],
        "messages": {data.__name__: {"$ref": f"#/components/messages/{data.__name__}"}},
        "bindings": {
            "amqp": {
                "is": "routingKey",
                "exchange": {
                    "name": ExchangeName.EVENTS.value,
                    "type": "topic",
                    "durable": True,
                    "autoDelete": False,
                    "vhost": "voice",
                },
                "bindingVersion": AMQP_BINDING,
            }
        },
    }


def _operation(data: type[EventData]) -> Document:
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{data.__name__}"},
        "title": f"Emit {data.event_type}",
        "summary": summary_and_details(data)[0],
        "messages": [{"$ref": f"#/channels/{data.__name__}/messages/{data.__name__}"}],
        "bindings": {
            "amqp": {
                "deliveryMode": PERSISTENT,
                "mandatory": False,
                "timestamp": False,
                "bindingVersion": AMQP_BINDING,
            }
        },
    }


def _message(data: type[EventData]) -> Document:
    summary, description = summary_and_details(data)
    example = example_of(data)
    return {
        "name": data.event_type,
        "title": data.event_type,
        "summary": summary,
        **({"description": description} if description else {}),
        "tags": [{"name": data.event_type.partition(".")[0]}],
        "contentType": CONTENT_TYPE,
        "headers": {
            "type": "object",
            "properties": {
                "company_id": {"type": "integer", "description": "As `companyid` of the envelope."},
            },
            "required": ["company_id"],
        },
        "payload": {"$ref": f"#/components/schemas/{data.__name__}Message"},
        "bindings": {"amqp": {"messageType": data.event_type, "bindingVersion": AMQP_BINDING}},
        "examples": [{"name": data.__name__, "headers": {"company_id": example["companyid"]}, "payload": example}],
    }


def _without_example(payload: Schema) -> Schema:
    """The message shows it already."""
    return {key: value for key, value in payload.items() if key != "examples"}


if __name__ == "__main__":
    write(files())
