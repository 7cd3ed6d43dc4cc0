"""Which changes of a schema readers can live with."""

from typing import Any

import pytest

from shared.events.compatibility import IncompatibleChange, incompatible_changes

Schema = dict[str, Any]

STRING: Schema = {"type": "string"}
INTEGER: Schema = {"type": "integer"}
NUMBER: Schema = {"type": "number"}
NULL: Schema = {"type": "null"}
OPEN_OR_SHUT: Schema = {"type": "string", "enum": ["open", "shut"]}
PERSON: Schema = {
    "type": "object",
    "properties": {"name": STRING, "age": INTEGER},
    "required": ["name", "age"],
}


def either(*forms: Schema) -> Schema:
    """What may be any of these."""
    return {"anyOf": list(forms)}


def listed(items: Schema, **bounds: int) -> Schema:
    """A list of these."""
    return {"type": "array", "items": items, **bounds}


def message_with(field: Schema, **definitions: Schema) -> Schema:
    """A message with one field."""
    return {
        "type": "object",
        "properties": {"data": {"type": "object", "properties": {"it": field}, "required": ["it"]}},
        "required": ["data"],
        "$defs": definitions,
    }


def without(schema: Schema, *names: str) -> Schema:
    """An object that does not have these fields."""
    left = {name: field for name, field in schema["properties"].items() if name not in names}
    return {**schema, "properties": left, "required": [name for name in schema["required"] if name in left]}


def descriptions(found: list[IncompatibleChange]) -> list[str]:
    """The changes as sentences."""
    return [f"{each.field} {each.description}" for each in found]


# Each narrower schema allows less than the wider one: it may replace the wider one, and not the other way round.
WIDER_AND_NARROWER = {
    "null in addition": (
        either(STRING, NULL),
        STRING,
        "data.it was string and may be null now",
    ),
    "null in addition to something bounded": (
        either({**INTEGER, "minimum": 0}, NULL),
        {**INTEGER, "minimum": 0},
        "data.it was integer and may be null now",
    ),
    "one more type": (either(STRING, INTEGER), STRING, "data.it was string and may be integer now"),
    "types in a list": ({"type": ["string", "null"]}, STRING, "data.it was string and may be null now"),
    "anything": ({}, STRING, "data.it was string and may be anything now"),
    "any number": (NUMBER, INTEGER, "data.it was integer and may be number now"),
    "one more value": (
        {**STRING, "enum": ["open", "shut", "ajar"]},
        OPEN_OR_SHUT,
        'data.it may be "ajar" now',
    ),
    "values that are open": (
        STRING,
        OPEN_OR_SHUT,
        'data.it was one of "open", "shut" and may be anything now',
    ),
    "more than one value": (OPEN_OR_SHUT, {**STRING, "const": "open"}, 'data.it may be "shut" now'),
    "any text": ({**STRING}, {**STRING, "format": "date-time"}, "data.it had format 'date-time' and has None now"),
    "any form": (STRING, {**STRING, "pattern": "^a"}, "data.it had pattern '^a' and has None now"),
    "lower minimum": (
        {**INTEGER, "minimum": 0},
        {**INTEGER, "minimum": 1},
        "data.it had minimum 1 and has 0 now",
    ),
    "no minimum": (INTEGER, {**INTEGER, "minimum": 1}, "data.it had minimum 1 and has none now"),
    "higher maximum": (
        {**NUMBER, "maximum": 10},
        {**NUMBER, "maximum": 5},
        "data.it had maximum 5 and has 10 now",
    ),
    "no maximum": (NUMBER, {**NUMBER, "maximum": 5}, "data.it had maximum 5 and has none now"),
    "longer text": ({**STRING, "maxLength": 9}, {**STRING, "maxLength": 8}, "data.it had maxLength 8 and has 9 now"),
    "empty list": (
        listed(STRING, minItems=0),
        listed(STRING, minItems=1),
        "data.it had minItems 1 and has 0 now",
    ),
    "longer list": (
        listed(STRING, maxItems=1000),
        listed(STRING, maxItems=500),
        "data.it had maxItems 500 and has 1000 now",
    ),
    "items may be null": (
        listed(either(STRING, NULL)),
        listed(STRING),
        "data.it[] was string and may be null now",
    ),
    "items of any kind": ({"type": "array"}, listed(STRING), "data.it[] was string and may be anything now"),
    "a field less": (without(PERSON, "age"), PERSON, "data.it.age is gone"),
    "a field of a list's items less": (
        listed(without(PERSON, "age")),
        listed(PERSON),
        "data.it[].age is gone",
    ),
    "a field of what may be null less": (
        either(without(PERSON, "age"), NULL),
        either(PERSON, NULL),
        "data.it.age is gone",
    ),
    "a field that may be missing": (
        {**PERSON, "required": ["name"]},
        PERSON,
        "data.it.age was always there and may be missing now",
    ),
    "values of a map": (
        {"type": "object", "additionalProperties": either(STRING, NULL)},
        {"type": "object", "additionalProperties": STRING},
        "data.it.* was string and may be null now",
    ),
    "a map of anything": (
        {"type": "object", "additionalProperties": True},
        {"type": "object", "additionalProperties": STRING},
        "data.it.* was string and may be anything now",
    ),
}
EVERY_PAIR = pytest.mark.parametrize(
    ("wider", "narrower", "description"), WIDER_AND_NARROWER.values(), ids=WIDER_AND_NARROWER
)


@EVERY_PAIR
def test_a_wider_schema_breaks_readers(wider: Schema, narrower: Schema, description: str) -> None:
    assert descriptions(incompatible_changes(message_with(narrower), message_with(wider))) == [description]


@EVERY_PAIR
def test_a_narrower_schema_does_not_break_readers(wider: Schema, narrower: Schema, description: str) -> None:
    assert descriptions(incompatible_changes(message_with(wider), message_with(narrower))) == [], description


@pytest.mark.parametrize(
    ("before", "now", "description"),
    [
        pytest.param(STRING, INTEGER, "data.it was string and may be integer now", id="another type"),
        pytest.param(STRING, listed(STRING), "data.it was string and may be array now", id="a list of it"),
        pytest.param(STRING, PERSON, "data.it was string and may be object now", id="an object"),
        pytest.param(
            either(STRING, NULL), INTEGER, "data.it was string or null and may be integer now", id="another alternative"
        ),
        pytest.param(
            OPEN_OR_SHUT, {**STRING, "enum": ["open", "closed"]}, 'data.it may be "closed" now', id="a renamed value"
        ),
        pytest.param(
            {**STRING, "format": "date"},
            {**STRING, "format": "date-time"},
            "data.it had format 'date' and has 'date-time' now",
            id="another format",
        ),
        pytest.param(
            either({**INTEGER, "maximum": 5}, NULL),
            either({**INTEGER, "maximum": 6}, NULL),
            "data.it had maximum 5 and has 6 now",
            id="bounds of what may be null",
        ),
    ],
)
def test_a_different_schema_breaks_readers(before: Schema, now: Schema, description: str) -> None:
    assert descriptions(incompatible_changes(message_with(before), message_with(now))) == [description]


def test_a_renamed_field_is_gone() -> None:
    now = without(PERSON, "name")
    now = {**now, "properties": {**now["properties"], "full_name": STRING}, "required": ["age", "full_name"]}

    assert descriptions(incompatible_changes(message_with(PERSON), message_with(now))) == ["data.it.name is gone"]


def test_a_new_field_is_ignored_by_readers() -> None:
    now = {**PERSON, "properties": {**PERSON["properties"], "town": STRING}, "required": ["name", "age", "town"]}

    assert incompatible_changes(message_with(PERSON), message_with(now)) == []


CIRCLE: Schema = {"type": "object", "properties": {"kind": {"const": "circle"}, "radius": NUMBER}, "required": ["kind"]}
SQUARE: Schema = {"type": "object", "properties": {"kind": {"const": "square"}, "side": NUMBER}, "required": ["kind"]}


@pytest.mark.parametrize("keyword", ["anyOf", "oneOf"])
def test_one_of_several_alternatives_of_a_type_must_remain(keyword: str) -> None:
    either_shape = {keyword: [CIRCLE, SQUARE]}

    for one in (CIRCLE, SQUARE, {keyword: [SQUARE, CIRCLE]}):
        assert incompatible_changes(message_with(either_shape), message_with(one)) == []
    assert descriptions(incompatible_changes(message_with(CIRCLE), message_with(either_shape))) == [
        'data.it.kind may be "square" now',
        "data.it.radius is gone",
    ]


def test_the_most_similar_alternative_of_a_type_is_compared() -> None:
    thick = {**CIRCLE, "properties": {"kind": {"const": "circle"}, "radius": either(NUMBER, NULL)}}

    found = incompatible_changes(message_with({"anyOf": [SQUARE, CIRCLE]}), message_with({"anyOf": [SQUARE, thick]}))

    assert descriptions(found) == ["data.it.radius was number and may be null now"]


def test_descriptions_are_not_compared() -> None:
    now = {**STRING, "title": "It", "description": "Another word for it.", "examples": ["it"], "deprecated": True}

    assert incompatible_changes(message_with(STRING), message_with(now)) == []
    assert incompatible_changes(message_with(now), message_with(STRING)) == []


def test_a_schema_is_the_same_wherever_it_is_written() -> None:
    referring = message_with({"$ref": "#/$defs/Person", "description": "Who."}, Person=PERSON)
    renamed = message_with({"$ref": "#/$defs/Human"}, Human=PERSON)

    for one in (referring, renamed, message_with(PERSON)):
        for other in (referring, renamed, message_with(PERSON)):
            assert incompatible_changes(one, other) == []


def test_referenced_schemas_are_compared() -> None:
    reference = {"$ref": "#/$defs/Person"}

    found = incompatible_changes(
        message_with(reference, Person=PERSON), message_with(reference, Person=without(PERSON, "name"))
    )

    assert descriptions(found) == ["data.it.name is gone"]


def test_every_incompatible_change_is_reported() -> None:
    now = {"type": "object", "properties": {"age": either(INTEGER, NULL)}, "required": []}

    assert descriptions(incompatible_changes(message_with(PERSON), message_with(now))) == [
        "data.it.name is gone",
        "data.it.age was always there and may be missing now",
        "data.it.age was integer and may be null now",
    ]


def test_additional_fields_are_compatible() -> None:
    closed, opened = {**PERSON, "additionalProperties": False}, {**PERSON, "additionalProperties": True}

    assert incompatible_changes(message_with(closed), message_with(opened)) == []
    assert incompatible_changes(message_with(opened), message_with(closed)) == []


@pytest.mark.parametrize("keyword", ["allOf", "prefixItems", "patternProperties", "not"])
def test_what_cannot_be_compared_is_not_taken_for_compatible(keyword: str) -> None:
    unknown = {"type": "array", keyword: {} if keyword in ("not", "patternProperties") else [STRING]}

    with pytest.raises(NotImplementedError, match=keyword):
        incompatible_changes(message_with(unknown), message_with(unknown))
