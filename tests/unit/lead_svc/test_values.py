from decimal import Decimal

import orjson
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.lead_svc.domain.fields import FIELD_BY_NAME, FIELDS, Kind
from services.lead_svc.values.from_columns import usual_values
from services.lead_svc.values.from_text import parse_text
from shared.time_zones import time_zones_by_lower_case

MAX_LENGTH = 10_000
VALUES: dict[str, dict[str, str | int | None]] = {
    "first_name": {"Zoë": "Zoë", "x" * 100: "x" * 100, "x" * 101: None, "日" * 100: "日" * 100},
    "email": {
        "john@example.com": "john@example.com",
        "John.Doe+x@sub-domain.example.co.uk": "John.Doe+x@sub-domain.example.co.uk",
        "o'neil@example.com": "o'neil@example.com",
        "a@b.co": "a@b.co",
        "jürgen@müller.de": "jürgen@müller.de",
        "a@xn--mller-kva.de": "a@xn--mller-kva.de",
        "\u200bjohn@example.com\ufeff": "john@example.com",
        "john": None,
        "john@": None,
        "@example.com": None,
        "john@example": None,
        "john@example.c": None,
        "john@example.123": None,
        "john@-example.com": None,
        "john@example-.com": None,
        "john@exa_mple.com": None,
        "john@example..com": None,
        "john..doe@example.com": None,
        ".john@example.com": None,
        "john.@example.com": None,
        "john doe@example.com": None,
        "john@exam ple.com": None,
        "john@@example.com": None,
        "john@example.com, jane@example.com": None,
        "john@example.com\njane@example.com": None,
        "John <john@example.com>": None,
        "a" * 242 + "@example.com": "a" * 242 + "@example.com",
        "a" * 243 + "@example.com": None,
        "\u200b" * 1_000 + "john@example.com": None,
    },
    "status": {"pending": "pending", "In Progress": "in_progress", "IN-PROGRESS": "in_progress", "new": None},
    "interest_level": {"High": "high", "low": "low", "huge": None},
    "priority": {"1": 1, "5": 5, "High": 1, "medium": 3, "LOW": 5, "2.0": 2, "0": None, "6": None, "urgent": None},
    "lead_score": {
        "0": 0,
        "100": 100,
        "085": 85,
        "+85": 85,
        "85.0": 85,
        "8.5E1": 85,
        "101": None,
        "-1": None,
        "85.5": None,
        "85%": None,
        "1_0": None,
        "٨٥": None,
        "high": None,
        "9" * 30: None,
        "1e999999999": None,
    },
    "assigned_to": {"123": 123, "9223372036854775807": 2**63 - 1, "9223372036854775808": None, "0": None, "-1": None},
    "best_time_to_call": {
        "14:00:00": "14:00:00",
        "00:00:00": "00:00:00",
        "14:00": "14:00:00",
        "9:05": "09:05:00",
        "9:05:07.500": "09:05:07",
        "2pm": "14:00:00",
        "2:30 PM": "14:30:00",
        "12 a.m.": "00:00:00",
        "12:15 pm": "12:15:00",
        "0.604166666666667": "14:30:00",
        "0.5": "12:00:00",
        "0": "00:00:00",
        "24:00": None,
        "12:60": None,
        "13pm": None,
        "0am": None,
        "14": None,
        "9:5": None,
        "morning": None,
        "2024-03-01": None,
        "1.5": None,
    },
    "timezone": {
        "UTC": "UTC",
        "utc": "UTC",
        "America/New_York": "America/New_York",
        "america/new york": "America/New_York",
        "Europe/Kyiv": "Europe/Kyiv",
        "Mars/Olympus": None,
        "PST": None,
        "+01:00": None,
    },
    "preferred_language": {
        "en": "en",
        "en-US": "en-US",
        "en_us": "en-US",
        "EN-gb": "en-GB",
        "zh-hant-tw": "zh-Hant-TW",
        "es-419": "es-419",
        "English": None,
        "e": None,
        "en-": None,
        "en-" + "-".join(["abcdefgh"] * 4): None,
    },
    "tags": {
        "vip": '["vip"]',
        "vip, new": '["vip","new"]',
        "vip;new|old": '["vip","new","old"]',
        " a ,, b ,": '["a","b"]',
        '["a, b", " c ", ""]': '["a, b","c"]',
        'the "hi"': '["the \\"hi\\""]',
        "[]": "[]",
        "[1]": None,
        '["a\\u0000"]': None,
        "[broken": None,
        '["a"': None,
        "x" * 10_001: None,
    },
    "pain_points": {"Slow, costly; Old": '["Slow, costly","Old"]', '["a"]': '["a"]', "one\ntwo": '["one","two"]'},
    "custom_fields": {
        '{"a": [1, null]}': '{"a":[1,null]}',
        '{"a": "\\\\u0000"}': '{"a":"\\\\u0000"}',
        "[]": None,
        "a": None,
        '{"a": "\\u0000"}': None,
        '{"a":' * 400 + "1" + "}" * 400: None,
    },
}


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [(name, text, value) for name, values in VALUES.items() for text, value in values.items()],
    ids=lambda part: str(part)[:30],
)
def test_the_value_of_a_text(name: str, text: str, value: str | int | None) -> None:
    assert parse_text(FIELD_BY_NAME[name], text) == value


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("5000000", "5000000.00"),
        ("5000000.00", "5000000.00"),
        ("5,000,000", "5000000.00"),
        ("$5,000,000.50", "5000000.50"),
        ("5.000.000,50 €", "5000000.50"),
        ("5 000 000", "5000000.00"),
        ("5\u00a0000\u202f000,5", "5000000.50"),
        ("1'234.5", "1234.50"),
        ("1,234", "1234.00"),
        ("1234,5", "1234.50"),
        ("1.5E6", "1500000.00"),
        ("12.345", "12.35"),
        ("0", "0.00"),
        ("-0", "0.00"),
        ("9999999999999.99", "9999999999999.99"),
        ("9999999999999.995", None),
        ("10000000000000", None),
        ("-5", None),
        ("5M", None),
        ("5 USD", None),
        ("1,23,456", None),
        ("1.2.3", None),
        ("NaN", None),
        ("Infinity", None),
        ("1e400", None),
        ("9" * 5_000_000, None),
        ("\u200b" * 999 + "5", "5.00"),
        ("\u200b" * 1_000 + "5", None),
    ],
    ids=lambda part: str(part)[:30],
)
def test_amounts_of_money(text: str, amount: str | None) -> None:
    assert parse_text(FIELD_BY_NAME["annual_revenue"], text) == amount


def test_the_name_of_every_time_zone_is_its_own_value() -> None:
    zone = FIELD_BY_NAME["timezone"]

    assert len(time_zones_by_lower_case()) > 500
    assert all(parse_text(zone, name) == name and len(name) <= 64 for name in time_zones_by_lower_case().values())


# Cells of an export are longer than the values in them, by quotes and commas.
@pytest.mark.parametrize(
    ("items", "is_valid"),
    [
        (["x"] * MAX_LENGTH, True),
        (['"' * MAX_LENGTH], True),
        (["x"] * (MAX_LENGTH + 1), False),
        (['"' * (MAX_LENGTH + 1)], False),
    ],
)
def test_the_length_of_an_exported_list_is_that_of_its_items(items: list[str], is_valid: bool) -> None:
    cell = orjson.dumps(items).decode()

    assert parse_text(FIELD_BY_NAME["tags"], cell) == (cell if is_valid else None)


@pytest.mark.parametrize(
    ("fields", "is_valid"),
    [
        ({"a": '"' * MAX_LENGTH, "b": "x" * MAX_LENGTH}, True),
        ({str(number): "x" for number in range(MAX_LENGTH)}, True),
        ({"a": "x" * (MAX_LENGTH + 1)}, False),
        ({"a": ["x"] * MAX_LENGTH}, False),
    ],
)
def test_each_custom_field_of_an_exported_cell_may_be_as_long_as_a_column_s(
    fields: dict[str, object], is_valid: bool
) -> None:
    cell = orjson.dumps(fields).decode()

    assert parse_text(FIELD_BY_NAME["custom_fields"], cell) == (cell if is_valid else None)


@pytest.mark.parametrize("cell", ["{" + " " * MAX_LENGTH + "}", '{"a":' * 400 + "1" + "}" * 400 + " " * MAX_LENGTH])
def test_spaces_of_an_object_do_not_count_towards_its_length(cell: str) -> None:
    assert parse_text(FIELD_BY_NAME["custom_fields"], cell) == parse_text(
        FIELD_BY_NAME["custom_fields"], cell.replace(" ", "")
    )


texts = st.one_of(
    st.sampled_from([text for values in VALUES.values() for text in values if len(text) < 300]),
    st.from_regex(r"\A[+-]?[0-9]{1,15}([.,][0-9]{0,3})?\Z"),
    st.from_regex(r"\A[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?\Z"),
    st.from_regex(r"\A[a-z_.ü@-]{1,8}@[a-z0-9.ü-]{1,12}\Z"),
    st.from_regex(r"\A[a-zA-Z]{2,3}([_-][A-Za-z0-9]{2,4})?\Z"),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20),
)


@given(st.lists(texts, min_size=1, max_size=20))
def test_the_usual_values_of_a_column_agree_with_the_rule(written: list[str]) -> None:
    column = pl.DataFrame({"0": written})
    for field in FIELDS:
        usual = usual_values(field, pl.col("0"))
        if usual is None:
            continue
        for text, value in zip(written, column.select(usual).to_series(), strict=True):
            if value is not None:
                assert same(field.kind, value, parse_text(field, text)), (field.name, text)


def same(kind: Kind, one: str | int, other: str | int | None) -> bool:
    """Whether two values are equal; 5 and 5.00 are the same amount of money."""
    return one == other if kind is not Kind.MONEY else other is not None and Decimal(one) == Decimal(other)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("email", "john@example.com"),
        ("lead_score", "85"),
        ("annual_revenue", "5000000.00"),
        ("best_time_to_call", "14:00:00"),
        ("preferred_language", "en-US"),
        ("phone", "+14155552671"),
        ("phone", "4155552671"),
        ("phone", "14155552671"),
    ],
)
def test_the_usual_values_cover_what_most_files_contain(name: str, text: str) -> None:
    usual = usual_values(FIELD_BY_NAME[name], pl.col("0"))

    assert usual is not None
    assert pl.DataFrame({"0": [text]}).select(usual).item() is not None
