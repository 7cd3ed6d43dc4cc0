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


def holding(field: Schema, **definitions: Schema) -> Schema:
    """A message that says one thing."""
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


def said(found: list[IncompatibleChange]) -> list[str]:
    """What was found, as it is told."""
    return [f"{each.field} {each.description}" for each in found]


# Each narrower one is less than the wider one may be. It may take the wider one's place, and not the other way round.
WIDER_AND_NARROWER = {
    "null besides": (
        either(STRING, NULL),
        STRING,
        "data.it was string and may be null now",
    ),
    "null besides something bounded": (
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
EVERY_PAIR = pytest.mark.parametrize(("wider", "narrower", "told"), WIDER_AND_NARROWER.values(), ids=WIDER_AND_NARROWER)


@EVERY_PAIR
def test_readers_stumble_over_what_is_wider(wider: Schema, narrower: Schema, told: str) -> None:
    assert said(incompatible_changes(holding(narrower), holding(wider))) == [told]


@EVERY_PAIR
def test_readers_live_with_what_is_narrower(wider: Schema, narrower: Schema, told: str) -> None:
    assert said(incompatible_changes(holding(wider), holding(narrower))) == [], told


@pytest.mark.parametrize(
    ("before", "now", "told"),
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
def test_readers_stumble_over_what_is_different(before: Schema, now: Schema, told: str) -> None:
    assert said(incompatible_changes(holding(before), holding(now))) == [told]


def test_a_renamed_field_is_gone() -> None:
    now = without(PERSON, "name")
    now = {**now, "properties": {**now["properties"], "full_name": STRING}, "required": ["age", "full_name"]}

    assert said(incompatible_changes(holding(PERSON), holding(now))) == ["data.it.name is gone"]


def test_a_new_field_is_ignored_by_readers() -> None:
    now = {**PERSON, "properties": {**PERSON["properties"], "town": STRING}, "required": ["name", "age", "town"]}

    assert incompatible_changes(holding(PERSON), holding(now)) == []


CIRCLE: Schema = {"type": "object", "properties": {"kind": {"const": "circle"}, "radius": NUMBER}, "required": ["kind"]}
SQUARE: Schema = {"type": "object", "properties": {"kind": {"const": "square"}, "side": NUMBER}, "required": ["kind"]}


@pytest.mark.parametrize("keyword", ["anyOf", "oneOf"])
def test_of_several_alternatives_of_one_kind_one_must_be_kept(keyword: str) -> None:
    either_shape = {keyword: [CIRCLE, SQUARE]}

    for one in (CIRCLE, SQUARE, {keyword: [SQUARE, CIRCLE]}):
        assert incompatible_changes(holding(either_shape), holding(one)) == []
    assert said(incompatible_changes(holding(CIRCLE), holding(either_shape))) == [
        'data.it.kind may be "square" now',
        "data.it.radius is gone",
    ]


def test_of_several_alternatives_of_one_kind_the_likest_is_compared() -> None:
    thick = {**CIRCLE, "properties": {"kind": {"const": "circle"}, "radius": either(NUMBER, NULL)}}

    found = incompatible_changes(holding({"anyOf": [SQUARE, CIRCLE]}), holding({"anyOf": [SQUARE, thick]}))

    assert said(found) == ["data.it.radius was number and may be null now"]


def test_words_about_a_field_are_no_matter() -> None:
    now = {**STRING, "title": "It", "description": "Another word for it.", "examples": ["it"], "deprecated": True}

    assert incompatible_changes(holding(STRING), holding(now)) == []
    assert incompatible_changes(holding(now), holding(STRING)) == []


def test_a_schema_is_the_same_wherever_it_is_written() -> None:
    referring = holding({"$ref": "#/$defs/Person", "description": "Who."}, Person=PERSON)
    renamed = holding({"$ref": "#/$defs/Human"}, Human=PERSON)

    for one in (referring, renamed, holding(PERSON)):
        for other in (referring, renamed, holding(PERSON)):
            assert incompatible_changes(one, other) == []


def test_what_is_referred_to_is_compared() -> None:
    reference = {"$ref": "#/$defs/Person"}

    found = incompatible_changes(holding(reference, Person=PERSON), holding(reference, Person=without(PERSON, "name")))

    assert said(found) == ["data.it.name is gone"]


def test_every_break_is_told() -> None:
    now = {"type": "object", "properties": {"age": either(INTEGER, NULL)}, "required": []}

    assert said(incompatible_changes(holding(PERSON), holding(now))) == [
        "data.it.name is gone",
        "data.it.age was always there and may be missing now",
        "data.it.age was integer and may be null now",
    ]


def test_whether_further_fields_may_come_is_no_matter() -> None:
    closed, opened = {**PERSON, "additionalProperties": False}, {**PERSON, "additionalProperties": True}

    assert incompatible_changes(holding(closed), holding(opened)) == []
    assert incompatible_changes(holding(opened), holding(closed)) == []


@pytest.mark.parametrize("keyword", ["allOf", "prefixItems", "patternProperties", "not"])
def test_what_cannot_be_compared_is_not_taken_for_compatible(keyword: str) -> None:
    unknown = {"type": "array", keyword: {} if keyword in ("not", "patternProperties") else [STRING]}

    with pytest.raises(NotImplementedError, match=keyword):
        incompatible_changes(holding(unknown), holding(unknown))
