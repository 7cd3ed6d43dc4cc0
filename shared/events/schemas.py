"""JSON Schemas of messages: the envelope and the data of each type."""

import re
from inspect import cleandoc
from typing import Any, Final

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from shared.events.envelope import Envelope, EventData
from shared.events.examples import example_of

Schema = dict[str, Any]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_REFERENCE: Final = "#/$defs/{model}"


class _SentMessages(GenerateJsonSchema):
    """Messages are sent whole, so a field with a default is required too. Titles would only repeat fields' names."""

    def field_is_required(
        self,
        field: core_schema.ModelField | core_schema.DataclassField | core_schema.TypedDictField,  # noqa: ARG002
        total: bool,  # noqa: ARG002
    ) -> bool:
        return True

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002
        return False


def summary_and_details(data: type[EventData]) -> tuple[str, str]:
    """Return a sentence about the event, and its details, which may be empty."""
    summary, _, details = _in_markdown(cleandoc(data.__doc__ or "")).partition("\n\n")
    return summary, details


def schema_id(data: type[EventData]) -> str:
    """Return the id of a type's schema, the same on every gateway."""
    return f"urn:voice-campaigns:event:{data.event_type}"


def message_schema(data: type[EventData]) -> Schema:
    """Return the schema of whole messages of a type, in JSON Schema draft 2020-12.

    It describes what is sent: every field that is always there is required, and additional fields are allowed.
    """
    message, parts = message_and_parts(data, _REFERENCE)
    return {"$schema": DIALECT, "$id": schema_id(data), **message, "$defs": parts}


def message_and_parts(data: type[EventData], reference: str) -> tuple[Schema, dict[str, Schema]]:
    """Return the schema of a type's messages, and the schemas that it refers to, by their names.

    Parameters
    ----------
    reference
        The form of references, with ``{model}`` for the name.
    """
    _, generated = models_json_schema(
        [(Envelope, "serialization"), (data, "serialization")], ref_template=reference, schema_generator=_SentMessages
    )
    parts: dict[str, Schema] = _described(generated["$defs"])
    envelope = parts.pop(Envelope.__name__)
    fields = envelope["properties"]
    fields["type"]["const"] = data.event_type
    fields["data"] = {
        "$ref": reference.format(model=data.__name__),
        "description": fields["data"]["description"],
    }
    message = {
        "title": data.event_type,
        "description": _in_markdown(cleandoc(data.__doc__ or "")),
        "type": "object",
        "properties": fields,
        "required": envelope["required"],
        "examples": [example_of(data)],
    }
    return message, parts


def _described(node: Any) -> Any:  # noqa: ANN401
    """Return the same JSON, with its descriptions in Markdown."""
    if isinstance(node, dict):
        return {
            key: _in_markdown(value) if key == "description" and isinstance(value, str) else _described(value)
            for key, value in node.items()
        }
    return [_described(value) for value in node] if isinstance(node, list) else node


def _in_markdown(docstring: str) -> str:
    """Return a docstring as Markdown: code in single backquotes, a paragraph on one line."""
    return re.sub(r"(?<!\n)\n(?!\n)", " ", docstring.replace("``", "`"))
