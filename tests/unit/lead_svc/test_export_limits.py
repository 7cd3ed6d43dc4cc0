"""Cells of an export that are longer than what they hold: an import measures the latter."""

import orjson
import pytest

from services.lead_svc.domain.fields import FIELD_BY_NAME
from services.lead_svc.values.from_text import parse_text

MOST = 10_000


@pytest.mark.parametrize(
    ("items", "is_read"),
    [(["x"] * MOST, True), (['"' * MOST], True), (["x"] * (MOST + 1), False), (['"' * (MOST + 1)], False)],
)
def test_a_list_is_as_long_as_its_items(items: list[str], is_read: bool) -> None:
    cell = orjson.dumps(items).decode()

    assert parse_text(FIELD_BY_NAME["tags"], cell) == (cell if is_read else None)


@pytest.mark.parametrize(
    ("fields", "is_read"),
    [
        ({"a": '"' * MOST, "b": "x" * MOST}, True),
        ({str(number): "x" for number in range(MOST)}, True),
        ({"a": "x" * (MOST + 1)}, False),
        ({"a": ["x"] * MOST}, False),
    ],
)
def test_each_custom_field_has_the_room_of_a_column(fields: dict[str, object], is_read: bool) -> None:
    cell = orjson.dumps(fields).decode()

    assert parse_text(FIELD_BY_NAME["custom_fields"], cell) == (cell if is_read else None)


@pytest.mark.parametrize("cell", ["{" + " " * MOST + "}", '{"a":' * 400 + "1" + "}" * 400 + " " * MOST])
def test_a_long_cell_with_little_in_it_is_read_as_a_short_one(cell: str) -> None:
    assert parse_text(FIELD_BY_NAME["custom_fields"], cell) == parse_text(
        FIELD_BY_NAME["custom_fields"], cell.replace(" ", "")
    )
