"""Compatibility of schemas: whether readers of the published messages can read the current ones.

A reader was written against a published JSON Schema. It goes on working when every current message is valid by the
published schema and has every published field; it ignores additional fields. So a field may be added, and values may
become fewer; no field may be removed, and no value may be new. A new value of an enumeration is such a value: a
vocabulary that will grow is therefore published as a plain string.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

Schema = Mapping[str, Any]

_ANNOTATIONS: Final = frozenset(
    {
        "$schema",
        "$id",
        "$defs",
        "$comment",
        "title",
        "description",
        "examples",
        "default",
        "deprecated",
        "discriminator",
    }
)
"""Keywords that do not restrict values."""
_ALTERNATIVES: Final = ("anyOf", "oneOf")
_FLOORS: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_CEILINGS: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_COMPARED: Final = frozenset(
    {"$ref", *_ALTERNATIVES, "type", "const", "enum", "properties", "required", "items", "additionalProperties"}
    | set(_FLOORS)
    | set(_CEILINGS)
)


@dataclass(frozen=True, slots=True)
class IncompatibleChange:
    """A change that breaks readers of the published messages."""

    field: str
    """Path in the message: ``data.leads[].phone``."""
    description: str
    """What is new there: ``may be null now``."""


def incompatible_changes(published: Schema, now: Schema) -> list[IncompatibleChange]:
    """Return the changes by which messages of the schema ``now`` break readers of ``published``."""
    return list(_Comparison(published, now).of("", published, now))


class _Comparison:
    """Compares two schemas part by part, each with the definitions of its document."""

    def __init__(self, published: Schema, now: Schema) -> None:
        self._published = published
        self._now = now

    def of(self, field: str, published: Schema, now: Schema) -> Iterator[IncompatibleChange]:
        """Yield the incompatible changes of a field: each of its forms must be one that was published."""
        known = list(_forms(published, self._published))
        for form in _forms(now, self._now):
            alike = [one for one in known if _is_kind(form, one)]
            if not alike:
                yield IncompatibleChange(field, f"was {' or '.join(map(_kind, known))} and may be {_kind(form)} now")
                continue
            yield from min((list(self._of_form(field, one, form)) for one in alike), key=len)

    def _of_form(self, field: str, published: Schema, now: Schema) -> Iterator[IncompatibleChange]:
        yield from _of_values(field, published, now)
        yield from _of_bounds(field, published, now)
        yield from self._of_fields(field, published, now)
        yield from self._of_contents(field, published, now)
        yield from _of_other_keywords(field, published, now)

    def _of_fields(self, field: str, published: Schema, now: Schema) -> Iterator[IncompatibleChange]:
        there = now.get("properties", {})
        for name, described in published.get("properties", {}).items():
            path = f"{field}.{name}".removeprefix(".")
            if name not in there:
                yield IncompatibleChange(path, "is gone")
                continue
            if name in published.get("required", ()) and name not in now.get("required", ()):
                yield IncompatibleChange(path, "was always there and may be missing now")
            yield from self.of(path, described, there[name])

    def _of_contents(self, field: str, published: Schema, now: Schema) -> Iterator[IncompatibleChange]:
        if "items" in published:
            yield from self.of(f"{field}[]", published["items"], now.get("items", {}))
        # Additional fields are compatible, as readers ignore them. The type of the values of a map is compared.
        if isinstance(published.get("additionalProperties"), dict):
            additional = now.get("additionalProperties", True)
            if additional is not False:
                kind = additional if isinstance(additional, dict) else {}
                yield from self.of(f"{field}.*", published["additionalProperties"], kind)


def _of_values(field: str, published: Schema, now: Schema) -> Iterator[IncompatibleChange]:
    known, there = _values(published), _values(now)
    if known is None:
        return
    if there is None:
        yield IncompatibleChange(field, f"was one of {', '.join(sorted(known))} and may be anything now")
        return
    for value in sorted(there - known):
        yield IncompatibleChange(field, f"may be {value} now")


def _of_bounds(field: str, published: Schema, now: Schema) -> Iterator[IncompatibleChange]:
    for keyword in _FLOORS:
        if keyword in published and now.get(keyword, float("-inf")) < published[keyword]:
            yield IncompatibleChange(
                field, f"had {keyword} {published[keyword]} and has {now.get(keyword, 'none')} now"
            )
    for keyword in _CEILINGS:
        if keyword in published and now.get(keyword, float("inf")) > published[keyword]:
            yield IncompatibleChange(
                field, f"had {keyword} {published[keyword]} and has {now.get(keyword, 'none')} now"
            )


def _of_other_keywords(field: str, published: Schema, now: Schema) -> Iterator[IncompatibleChange]:
    """Yield the changes of restrictions without an order, as ``format`` and ``pattern``: they may only be added."""
    for keyword in sorted((published.keys() | now.keys()) - _COMPARED - _ANNOTATIONS):
        if any(isinstance(schema.get(keyword), dict | list) for schema in (published, now)):
            raise NotImplementedError(f"{field} has {keyword}, which this module cannot compare")
        if keyword in published and now.get(keyword) != published[keyword]:
            yield IncompatibleChange(field, f"had {keyword} {published[keyword]!r} and has {now.get(keyword)!r} now")


def _forms(schema: Schema, document: Schema) -> Iterator[Schema]:
    """Yield the alternatives of a value: without references, unions and lists of types."""
    alternatives = next((keyword for keyword in _ALTERNATIVES if keyword in schema), None)
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/$defs/")
        yield from _forms({**document["$defs"][name], **_beside(schema, "$ref")}, document)
    elif alternatives is not None:
        for alternative in schema[alternatives]:
            yield from _forms({**alternative, **_beside(schema, alternatives)}, document)
    elif isinstance(schema.get("type"), list):
        for one in schema["type"]:
            yield {**schema, "type": one}
    else:
        yield schema


def _beside(schema: Schema, keyword: str) -> Schema:
    return {key: value for key, value in schema.items() if key != keyword and key not in _ANNOTATIONS}


def _values(schema: Schema) -> set[str] | None:
    """Return the listed values, each as JSON; None where they are not listed."""
    if "const" in schema:
        return {json.dumps(schema["const"])}
    return {json.dumps(value) for value in schema["enum"]} if "enum" in schema else None


def _kind(schema: Schema) -> str:
    return str(schema.get("type", "anything"))


def _is_kind(now: Schema, published: Schema) -> bool:
    kinds = (_kind(now), _kind(published))
    return kinds[1] == "anything" or kinds[0] == kinds[1] or kinds == ("integer", "number")
