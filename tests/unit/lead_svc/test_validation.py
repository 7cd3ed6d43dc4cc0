"""Rows of a file become leads, or the errors of the file; without servers."""

import csv
import json
from collections.abc import Mapping, Sequence
from io import BytesIO, StringIO
from typing import Any

import orjson
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.lead_svc.domain.fields import FIELDS
from services.lead_svc.imports.records import LEAD_COLUMNS
from services.lead_svc.imports.validation.validator import validate_rows
from services.lead_svc.spreadsheets.csv_reader import read_csv
from services.lead_svc.spreadsheets.json_reader import read_json
from services.lead_svc.spreadsheets.row_errors import MAX_REPORTED_ERRORS, FileRejectedError, RowError
from tests.fixtures.lead_files import OLD_WORKBOOK, Formula, Row, csv_file, sheet_of, workbook

PHONE = "+14155552671"
CONTRACT_EXAMPLE = """first_name,last_name,phone,email,company_name,job_title
John,Doe,+1234567890,john@example.com,ABC Corp,Manager
Jane,Smith,1234567890,jane@example.com,XYZ Inc,Director
"""
DEFAULT_LEAD = dict.fromkeys(LEAD_COLUMNS) | {
    "status": "pending",
    "priority": 3,
    "timezone": "UTC",
    "preferred_language": "en-US",
    "custom_fields": "{}",
}


def leads_of(
    rows: Sequence[Mapping[str, object]] | str,
    defaults: Mapping[str, object] | None = None,
    row_limit: int | None = None,
) -> list[dict[str, Any]]:
    """The leads of a CSV file, or of rows that have the keys of the first row."""
    if not isinstance(rows, str):
        rows = csv_file([list(rows[0]), *(list(row.values()) for row in rows)]).decode()
    return validate_rows(read_csv(rows.encode()), defaults or {}, row_limit=row_limit).frame.to_dicts()


def custom_fields_of(rows: Sequence[Mapping[str, object]] | str, **defaults: object) -> list[dict[str, Any]]:
    return [json.loads(lead["custom_fields"]) for lead in leads_of(rows, defaults)]


def rejection_of(
    rows: Sequence[Mapping[str, object]] | str,
    defaults: Mapping[str, object] | None = None,
    row_limit: int | None = None,
) -> FileRejectedError:
    with pytest.raises(FileRejectedError) as rejection:
        leads_of(rows, defaults, row_limit)
    return rejection.value


def test_the_contract_s_example() -> None:
    john, jane = leads_of(CONTRACT_EXAMPLE, {"status": "pending", "source": "bulk_import"})

    common = DEFAULT_LEAD | {"source": "bulk_import"}
    assert john == common | {
        "first_name": "John",
        "last_name": "Doe",
        "phone": "+1234567890",
        "email": "john@example.com",
        "company_name": "ABC Corp",
        "job_title": "Manager",
    }
    assert (jane["first_name"], jane["phone"]) == ("Jane", "+11234567890")


def test_the_frame_has_the_columns_and_types_that_are_loaded() -> None:
    frame = validate_rows(read_csv(f"phone\n{PHONE}\n".encode()), {}, row_limit=None).frame

    other = {"priority": pl.Int16(), "lead_score": pl.Int16(), "assigned_to": pl.Int64()}
    assert dict(frame.schema) == {name: other.get(name, pl.String()) for name in LEAD_COLUMNS}


def test_every_field_that_a_file_can_set_is_a_column_or_in_custom_fields() -> None:
    importable = {field.name for field in FIELDS if field.importable}

    assert importable == {*LEAD_COLUMNS, "tags"}


def test_every_column_of_the_contract() -> None:
    row = {
        "First Name": " John ",
        "last_name": "Doe",
        "phone": " (415) 555-2671 ",
        "alternate_phone": "0044 20 7946 0958",
        "email": "john.doe@example.com",
        "company_name": "ABC Corp",
        "job_title": "Senior Manager",
        "industry": "Technology",
        "status": "Scheduled",
        "priority": "high",
        "best_time_to_call": "2:30 pm",
        "timezone": "america/new_york",
        "preferred_language": "en_GB",
        "country": "United States",
        "state": "California",
        "city": "San Francisco",
        "address": "123 Main St, Suite 200",
        "postal_code": "02134",
        "source": "Website",
        "source_details": "Contact form",
        "annual_revenue": "$5,000,000",
        "company_size": "50-100",
        "lead_score": "85.0",
        "interest_level": "High",
        "pain_points": '["Too expensive"]',
        "requirements": "24/7 Support; Cloud",
        "tags": "enterprise, high-value",
        "assigned_to": "123",
        "notes": "Two\nlines",
    }

    [lead] = leads_of([row])

    written = {name: text for name, text in row.items() if name not in {"First Name", "tags"}}
    assert lead == written | {
        "first_name": "John",
        "phone": PHONE,
        "alternate_phone": "+442079460958",
        "status": "scheduled",
        "priority": 1,
        "best_time_to_call": "14:30:00",
        "timezone": "America/New_York",
        "preferred_language": "en-GB",
        "annual_revenue": "5000000.00",
        "lead_score": 85,
        "interest_level": "high",
        "requirements": '["24/7 Support","Cloud"]',
        "custom_fields": '{"tags":["enterprise","high-value"]}',
        "assigned_to": 123,
    }


def test_texts_are_trimmed_and_empty_ones_are_null() -> None:
    rows = [
        {"phone": f" {PHONE}\t", "city": " \u00a0New  York\r\n", "notes": "   ", "Region": " \t "},
        {"phone": PHONE, "city": "", "notes": '""', "Region": " North "},
    ]

    first, second = leads_of(rows)

    assert (first["phone"], first["city"], first["notes"], first["custom_fields"]) == (PHONE, "New  York", None, "{}")
    assert (second["city"], second["notes"], second["custom_fields"]) == (None, '""', '{"Region":"North"}')


def test_blank_rows_are_ignored_and_counted_in_row_numbers() -> None:
    leads = leads_of(f"phone,city\n\n{PHONE},a\n,\n  , \n{PHONE},b\n")
    assert [lead["city"] for lead in leads] == ["a", "b"]

    rejection = rejection_of(f"phone,city\n\n{PHONE},a\n,\n  , \n1,b\n")
    assert [error.row for error in rejection.errors] == [6]


# What a lead knows beyond its fields.


def test_other_columns_go_into_custom_fields_under_their_headers() -> None:
    rows = [
        {
            "phone": PHONE,
            "Größe (cm)": "180",
            'a "b" \\': 'c "d" \\ \n',
            "Region": "",
            "日本": "\U0001f600\u2028\t\x07",
        },
        {"phone": PHONE, "Größe (cm)": "", 'a "b" \\': "", "Region": "", "日本": ""},
    ]

    assert custom_fields_of(rows) == [
        {"Größe (cm)": "180", 'a "b" \\': 'c "d" \\', "日本": "\U0001f600\u2028\t\x07"},
        {},
    ]


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), min_size=1, max_size=5))
def test_any_text_of_another_column_is_preserved(texts: list[str]) -> None:
    rows = [{"phone": PHONE, "x": text} for text in texts]

    trimmed = [text.strip() for text in texts]
    preserved = [fields.get("x", "").strip() for fields in custom_fields_of(rows)]
    assert preserved == trimmed


def test_two_hundred_columns_go_into_custom_fields() -> None:
    row = {"phone": PHONE} | {f"Column {number}": str(number) for number in range(199)}

    assert custom_fields_of([row]) == [{f"Column {number}": str(number) for number in range(199)}]


def test_tags_of_every_form() -> None:
    rows = [{"phone": PHONE, "tags": cell} for cell in ("a, b", "", '["c, d"]', "e|f;g", " , ")]

    assert [fields.get("tags") for fields in custom_fields_of(rows)] == [
        ["a", "b"],
        None,
        ["c, d"],
        ["e", "f", "g"],
        [],
    ]


def test_extensions_of_phone_numbers_go_into_custom_fields() -> None:
    rows = [
        {"phone": "415-555-2671 x12", "alternate_phone": "", "phone_extension": ""},
        {"phone": PHONE, "alternate_phone": "+1 415 555 2672 ext. 3", "phone_extension": "7"},
        {"phone": "415-555-2671 x12", "alternate_phone": PHONE, "phone_extension": "7"},
    ]

    assert custom_fields_of(rows) == [
        {"phone_extension": "12"},
        {"phone_extension": "7", "alternate_phone_extension": "3"},
        {"phone_extension": "12"},
    ]


def test_a_column_of_custom_fields_is_merged_with_the_others() -> None:
    rows = [
        {"phone": PHONE, "custom_fields": '{"a": 1, "Region": "x"}', "Region": "North", "tags": "vip"},
        {"phone": PHONE, "custom_fields": "", "Region": "", "tags": ""},
    ]

    assert custom_fields_of(rows, custom_fields={"a": 2, "b": None}) == [
        {"a": 1, "b": None, "Region": "North", "tags": ["vip"]},
        {"a": 2, "b": None},
    ]


# Default values.


def test_default_values_fill_empty_cells_only() -> None:
    rows = [
        {"phone": PHONE, "source": "Fair", "lead_score": "0", "tags": "a"},
        {"phone": PHONE, "source": " ", "lead_score": "", "tags": ""},
    ]
    defaults = {
        "source": " bulk ",
        "lead_score": 50,
        "tags": ["x", "y"],
        "priority": "low",
        "annual_revenue": 12.5,
        "city": "Oslo",
        "timezone": "europe/oslo",
        "best_time_to_call": "9:00",
        "pain_points": ["slow"],
        "assigned_to": 7,
        "status": None,
        "country": "",
    }

    first, second = leads_of(rows, defaults)

    assert (first["source"], first["lead_score"], first["custom_fields"]) == ("Fair", 0, '{"tags":["a"]}')
    assert (second["source"], second["lead_score"], second["custom_fields"]) == ("bulk", 50, '{"tags":["x","y"]}')
    for lead in (first, second):
        assert (lead["priority"], lead["annual_revenue"], lead["city"], lead["country"]) == (5, "12.50", "Oslo", None)
        assert (lead["timezone"], lead["best_time_to_call"]) == ("Europe/Oslo", "09:00:00")
        assert (lead["pain_points"], lead["assigned_to"], lead["status"]) == ('["slow"]', 7, "pending")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("status", "running", "Invalid status value"),
        ("interest_level", "huge", "Invalid interest level"),
        ("lead_score", 101, "Lead score must be between 0 and 100"),
        ("lead_score", 10.5, "Lead score must be between 0 and 100"),
        ("priority", 9, "Priority must be between 1 and 5"),
        ("email", "no-address", "Invalid email format"),
        ("source", "x" * 101, "Source must be at most 100 characters"),
        ("timezone", "Mars/Olympus", "Timezone must be the name of a time zone, such as America/New_York"),
        ("custom_fields", {"a": "\0"}, "default_values has a wrong type of value for custom_fields"),
        ("source", "a\0b", "default_values has a wrong type of value for source"),
        ("source", 5, "default_values has a wrong type of value for source"),
        ("source", ["a"], "default_values has a wrong type of value for source"),
        ("lead_score", True, "default_values has a wrong type of value for lead_score"),
        ("tags", {"a": 1}, "default_values has a wrong type of value for tags"),
        ("tags", [1], "Tags must be a list of texts"),
        ("shoe_size", 44, "default_values cannot set shoe_size"),
        ("company_id", 1, "default_values cannot set company_id"),
        ("last_contact_date", "2024-01-01", "default_values cannot set last_contact_date"),
        ("phone", PHONE, "default_values cannot set phone"),
        ("id", 1, "default_values cannot set id"),
        ("campaign_id", 1, "default_values cannot set campaign_id"),
        ("created_at", "2024-01-01", "default_values cannot set created_at"),
        ("source", True, "default_values has a wrong type of value for source"),
        ("lead_score", [1], "default_values has a wrong type of value for lead_score"),
        ("custom_fields", ["a"], "default_values has a wrong type of value for custom_fields"),
        ("annual_revenue", -1, "Annual revenue must be between 0 and 9999999999999.99"),
        ("annual_revenue", 1e300, "Annual revenue must be between 0 and 9999999999999.99"),
        ("assigned_to", 2**70, "Assigned to must be the id of an agent"),
        ("assigned_to", 0, "Assigned to must be the id of an agent"),
        ("best_time_to_call", "25:00:00", "Best time to call must be a time of day (HH:MM:SS)"),
    ],
)
def test_an_invalid_default_value_is_rejected(key: str, value: object, message: str) -> None:
    rejection = rejection_of([{"phone": PHONE}], {"city": "Oslo", key: value})

    assert [(error.row, error.field, error.message) for error in rejection.errors] == [
        (None, f"default_values.{key}", message)
    ]


# Errors.


@pytest.mark.parametrize("text", ["", "\n\n", "phone,email\n", "phone,email\n,\n\n  ,\n", "phone\n \n"])
def test_a_file_without_leads(text: str) -> None:
    assert rejection_of(text).errors == (RowError(None, None, None, "no_leads", "No valid leads found in the file"),)


@pytest.mark.parametrize(
    ("field", "value", "code", "message"),
    [
        ("phone", "123", "invalid_phone", "Invalid phone number format: 123"),
        ("phone", "+1 (23) 45", "invalid_phone", "Invalid phone number format: +1 (23) 45"),
        ("phone", "+0123456789", "invalid_phone", "Invalid phone number format: +0123456789"),
        ("phone", "1.41556E+10", "invalid_phone", "Invalid phone number format: 1.41556E+10"),
        ("phone", "", "missing", "Missing required fields: phone"),
        ("alternate_phone", "call me", "invalid_phone", "Invalid phone number format: call me"),
        ("email", "john@", "invalid_email", "Invalid email format"),
        ("lead_score", "101", "out_of_range", "Lead score must be between 0 and 100"),
        ("lead_score", "good", "out_of_range", "Lead score must be between 0 and 100"),
        ("lead_score", "-1", "out_of_range", "Lead score must be between 0 and 100"),
        ("lead_score", "50.5", "out_of_range", "Lead score must be between 0 and 100"),
        ("status", "running", "invalid_choice", "Invalid status value"),
        ("interest_level", "huge", "invalid_choice", "Invalid interest level"),
        ("priority", "0", "out_of_range", "Priority must be between 1 and 5"),
        ("first_name", "x" * 101, "too_long", "First name must be at most 100 characters"),
        ("notes", "x" * 10_001, "too_long", "Notes must be at most 10,000 characters"),
        ("notes", "x" * 5_000_000, "too_long", "Notes must be at most 10,000 characters"),
        ("Region", "x" * 10_001, "too_long", "Region must be at most 10,000 characters"),
        ("best_time_to_call", "noon", "invalid_time", "Best time to call must be a time of day (HH:MM:SS)"),
        (
            "timezone",
            "PST",
            "invalid_timezone",
            "Timezone must be the name of a time zone, such as America/New_York",
        ),
        (
            "preferred_language",
            "English",
            "invalid_language",
            "Preferred language must be a language tag, such as en-US",
        ),
        ("annual_revenue", "-1", "out_of_range", "Annual revenue must be between 0 and 9999999999999.99"),
        ("assigned_to", "Bob", "out_of_range", "Assigned to must be the id of an agent"),
        ("tags", "[1]", "invalid_list", "Tags must be a list of texts"),
        ("custom_fields", "[1]", "invalid_object", "Custom fields must be a JSON object"),
    ],
    ids=lambda part: str(part)[:30],
)
def test_an_invalid_cell_is_an_error_of_its_row(field: str, value: str, code: str, message: str) -> None:
    good = {"phone": PHONE, field: ""} if field != "phone" else {"phone": PHONE, "city": "Oslo"}
    bad = good | {field: value}

    rejection = rejection_of([good, bad])

    reported = value[:100] + "…" if len(value) > 100 else value or None
    assert rejection.errors == (RowError(3, field, reported, code, message),)
    assert (rejection.message, rejection.total) == (message, 1)


@pytest.mark.parametrize(
    ("lead", "message"),
    [
        ({"phone": "123"}, "Invalid phone number format: 123"),
        ({"phone": 12}, "Invalid phone number format: 12"),
        ({"phone": ["+14155550100"]}, 'Invalid phone number format: ["+14155550100"]'),
        ({"first_name": "John"}, "Missing required fields: phone"),
        ({"phone": None}, "Missing required fields: phone"),
        ({"phone": "  "}, "Missing required fields: phone"),
        ({}, "Missing required fields: phone"),
        ({"phone": PHONE, "email": "john.example.com"}, "Invalid email format"),
        ({"phone": PHONE, "email": 5}, "Invalid email format"),
        ({"phone": PHONE, "lead_score": 101}, "Lead score must be between 0 and 100"),
        ({"phone": PHONE, "lead_score": -1}, "Lead score must be between 0 and 100"),
        ({"phone": PHONE, "lead_score": 50.5}, "Lead score must be between 0 and 100"),
        ({"phone": PHONE, "lead_score": True}, "Lead score must be between 0 and 100"),
        ({"phone": PHONE, "status": "running"}, "Invalid status value"),
        ({"phone": PHONE, "status": 1}, "Invalid status value"),
        ({"phone": PHONE, "interest_level": "huge"}, "Invalid interest level"),
        ({"phone": PHONE, "priority": 6}, "Priority must be between 1 and 5"),
        ({"phone": PHONE, "city": 7}, "City must be a text"),
        ({"phone": PHONE, "city": "a\0b"}, "City must not contain NUL characters"),
        ({"phone": PHONE, "tags": [1]}, "Tags must be a list of texts"),
        ({"phone": PHONE, "shoe_size": 44}, "Unknown field: shoe_size"),
        ({"phone": PHONE, "last_contact_date": "2024-01-01T00:00:00Z"}, "Unknown field: last_contact_date"),
        ({"Phone": PHONE}, "Unknown field: Phone"),
        ({"phone": PHONE, "a\0": "b\0"}, "Unknown field: a\ufffd"),
        ({"phone": PHONE, "id": 1}, "Unknown field: id"),
        ("+14155550100", "A lead must be a JSON object"),
    ],
)
def test_an_invalid_json_lead_is_an_error_of_its_row(lead: object, message: str) -> None:
    sheet = read_json(orjson.dumps([{"phone": PHONE}, lead]))

    with pytest.raises(FileRejectedError) as rejection:
        validate_rows(sheet, {}, row_limit=None)

    assert rejection.value.message == message
    assert {error.row for error in rejection.value.errors} == {1}


def test_a_long_phone_number_is_cut_in_its_message() -> None:
    assert rejection_of([{"phone": "9" * 5_000_000}]).message == f"Invalid phone number format: {'9' * 100}…"


def test_a_text_of_many_bytes_may_be_as_long_as_one_of_few() -> None:
    assert leads_of([{"phone": PHONE, "first_name": "日" * 100}])[0]["first_name"] == "日" * 100


def test_every_error_of_every_row_is_reported_at_once_in_the_order_of_the_file() -> None:
    rows = [
        {"email": "@", "phone": "1", "lead_score": "999"},
        {"email": "", "phone": PHONE, "lead_score": ""},
        {"email": "x", "phone": "", "lead_score": "-1"},
    ]

    rejection = rejection_of(rows)

    assert [(error.row, error.field, error.value) for error in rejection.errors] == [
        (2, "email", "@"),
        (2, "phone", "1"),
        (2, "lead_score", "999"),
        (4, "email", "x"),
        (4, "phone", None),
        (4, "lead_score", "-1"),
    ]


def test_the_first_thousand_errors_are_listed_and_all_are_counted() -> None:
    rows = [{"phone": "1", "email": "@", "city": str(number)} for number in range(3_000)]

    rejection = rejection_of(rows)

    assert rejection.total == 6_000
    assert len(rejection.errors) == MAX_REPORTED_ERRORS
    assert (rejection.errors[-1].row, rejection.errors[-1].field) == (501, "email")


def test_reading_errors_are_reported_with_value_errors() -> None:
    rejection = rejection_of(f"phone,email\n{PHONE},@\n{PHONE},,x\n1,@,y\n")

    assert [(error.row, error.field, error.code) for error in rejection.errors] == [
        (2, "email", "invalid_email"),
        (3, None, "too_many_cells"),
        (4, None, "too_many_cells"),
        (4, "phone", "invalid_phone"),
        (4, "email", "invalid_email"),
    ]


def test_the_first_thousand_reading_errors_are_listed_and_all_are_counted() -> None:
    rejection = rejection_of("phone\n" + f"{PHONE},x\n" * 3_000)

    assert (rejection.total, len(rejection.errors), rejection.errors[-1].row) == (3_000, MAX_REPORTED_ERRORS, 1_001)


def test_the_first_thousand_error_cells_are_listed_and_all_are_counted() -> None:
    rows: list[Row] = [["phone"], *([Formula("=NA()", "#N/A")] for _ in range(1_500))]

    with pytest.raises(FileRejectedError) as rejection:
        validate_rows(sheet_of(workbook(rows), "leads.xlsx"), {}, row_limit=None)

    assert (rejection.value.total, rejection.value.errors[-1].row) == (1_500, 1_001)


def test_an_error_cell_is_reported_under_its_column_and_not_as_missing() -> None:
    error = Formula("=NA()", "#N/A")
    rows: list[Row] = [["Phone Number", "Region", "City", ""], [error, error, error, None], [None, None, error, error]]

    with pytest.raises(FileRejectedError) as rejection:
        validate_rows(sheet_of(workbook(rows), "leads.xlsx"), {}, row_limit=None)

    assert [(error.row, error.field, error.value, error.code) for error in rejection.value.errors] == [
        (2, "phone", "#N/A", "error_cell"),
        (2, "Region", "#N/A", "error_cell"),
        (2, "city", "#N/A", "error_cell"),
        (3, "city", "#N/A", "error_cell"),
        (3, "D", "#N/A", "error_cell"),
    ]


def test_a_column_without_a_header_must_be_empty() -> None:
    assert leads_of(f"phone,,city\n{PHONE},,Oslo\n")[0]["city"] == "Oslo"
    assert rejection_of(f"phone,,city\n{PHONE},x,Oslo\n").message == "Column B has values, but no header"


def test_a_missing_phone_column_is_one_error() -> None:
    rejection = rejection_of("email\na@example.com\nb@example.com\n")

    assert [(error.row, error.message) for error in rejection.errors] == [(None, "Missing required fields: phone")]


def test_the_limit_of_rows_counts_leads() -> None:
    text = "phone\n" + f"{PHONE}\n\n" * 1_000

    assert len(leads_of(text, row_limit=1_000)) == 1_000
    assert len(leads_of(text + PHONE)) == 1_001
    assert rejection_of(text + PHONE, row_limit=1_000).errors[0].code == "too_many_leads"


def test_an_excel_file_becomes_leads_like_a_csv_file() -> None:
    rows: list[Row] = [["phone", "annual_revenue", "best_time_to_call"], [14155552671, 12.5, 0.6041666667]]

    frame = validate_rows(sheet_of(workbook(rows), "leads.xlsx"), {}, row_limit=None).frame

    assert frame.select("phone", "annual_revenue", "best_time_to_call").rows() == [(PHONE, "12.5", "14:30:00")]


def test_the_errors_of_an_old_workbook_have_their_rows() -> None:
    with pytest.raises(FileRejectedError) as rejection:
        validate_rows(sheet_of(OLD_WORKBOOK.read_bytes(), "leads.xls"), {}, row_limit=None)

    assert [(error.row, error.field) for error in rejection.value.errors] == [(6, "Signed Up"), (6, "annual_revenue")]


def test_the_frame_survives_being_written_as_csv() -> None:
    rows = [{"phone": PHONE, "notes": 'a "b"\n\\N', "city": "", "Region": "x,y"}]
    frame = validate_rows(read_csv(csv_file([list(rows[0]), list(rows[0].values())])), {}, row_limit=None).frame
    written = BytesIO()

    frame.write_csv(written, include_header=False)

    [row] = csv.reader(StringIO(written.getvalue().decode(), newline=""))
    assert dict(zip(LEAD_COLUMNS, row, strict=True))["notes"] == 'a "b"\n\\N'
    assert dict(zip(LEAD_COLUMNS, row, strict=True))["custom_fields"] == '{"Region":"x,y"}'
