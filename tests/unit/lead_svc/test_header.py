import pytest

from services.lead_svc.domain.fields import FIELD_BY_NAME, FIELDS
from services.lead_svc.spreadsheets.header import (
    ALIASES,
    MAX_HEADER_LENGTH,
    column_letters,
    field_for_header,
    match_columns,
)
from services.lead_svc.spreadsheets.row_errors import FileRejectedError
from tests.fixtures.child_process import finish_in_child
from tests.fixtures.lead_files import column_errors


@pytest.mark.parametrize("name", [field.name for field in FIELDS if field.importable])
@pytest.mark.parametrize("write", [str, str.upper, lambda name: f" {name.replace('_', ' ').title()} "])
def test_a_field_s_own_name_is_found_in_any_notation(name: str, write: object) -> None:
    assert callable(write)
    assert field_for_header(write(name)) == name
    assert field_for_header(write(name.replace("_", "-"))) == name
    assert field_for_header(write(name.replace("_", ""))) == name


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("First Name", "first_name"),
        ("FIRSTNAME", "first_name"),
        ("firstName*", "first_name"),
        ("Surname", "last_name"),
        ("Phone Number", "phone"),
        ("phone-no.", "phone"),
        ("Phone #", "phone"),
        ("\ufeffphone", "phone"),
        ("\u200bPhone\u00a0Number", "phone"),
        ("Telephone", "phone"),
        ("Tel.", "phone"),
        ("E-mail", "email"),
        ("E-Mail Address", "email"),
        ("Company", "company_name"),
        ("Organisation", "company_name"),
        ("Zip", "postal_code"),
        ("ZIP Code", "postal_code"),
        ("Zip/Postal Code", "postal_code"),
        ("Postcode", "postal_code"),
        ("Time Zone", "timezone"),
        ("State/Province", "state"),
        ("Lead Score", "lead_score"),
        ("Tags", "tags"),
    ],
)
def test_headers_as_people_write_them(header: str, name: str) -> None:
    assert field_for_header(header) == name


@pytest.mark.parametrize("header", ["", "   ", "id", "Region", "last_contact_date", "phone call", "Name"])
def test_other_headers_are_not_fields(header: str) -> None:
    assert field_for_header(header) is None


def test_every_alias_means_one_field() -> None:
    aliases = [alias for name in ALIASES for alias in (name.replace("_", ""), *ALIASES[name])]

    assert len(aliases) == len(set(aliases))
    assert set(ALIASES) <= set(FIELD_BY_NAME)


def test_every_column_is_a_field_an_extra_or_unnamed() -> None:
    columns = match_columns(["Region", "Phone Number", "", " first_name ", "Größe (cm)", " "])

    assert columns.fields == {"phone": 1, "first_name": 3}
    assert columns.extras == {"Region": 0, "Größe (cm)": 4}
    assert columns.unnamed == (2, 5)


@pytest.mark.parametrize("header", ["Mobile", "cell phone", "Mobile Number"])
def test_a_mobile_number_is_the_phone_only_if_no_other_column_is(header: str) -> None:
    assert match_columns(["email", header]).fields == {"email": 0, "phone": 1}
    assert match_columns([header, "phone"]).fields == {"phone": 1}
    assert match_columns([header, "phone"]).extras == {header: 0}


@pytest.mark.parametrize(
    ("headers", "messages"),
    [
        (["email"], ["Missing required fields: phone"]),
        (["phone", "x", "Phone Number"], ['Columns A ("phone") and C ("Phone Number") are the same field: phone']),
        (["phone", "Mobile", "Cell"], []),
        (["Mobile", "Mobile"], ['Columns A ("Mobile") and B ("Mobile") are the same field: phone']),
        (["phone", "Region", " Region "], ['Columns B ("Region") and C ("Region") have the same name']),
        (["phone", "x" * 256], ["The header of column B is longer than 255 characters"]),
        (
            ["email", "E-mail", "a", "a"],
            [
                "Missing required fields: phone",
                'Columns A ("email") and B ("E-mail") are the same field: email',
                'Columns C ("a") and D ("a") have the same name',
            ],
        ),
        (["phone", *(f"c{number}" for number in range(1_000))], ["A file may have at most 1,000 columns"]),
    ],
)
def test_every_error_of_the_header_is_named(headers: list[str], messages: list[str]) -> None:
    try:
        found = [error.message for error in match_columns(headers).errors]
    except FileRejectedError as rejection:
        found = [error.message for error in rejection.errors]

    assert found == messages


@pytest.mark.parametrize(("position", "name"), [(0, "A"), (25, "Z"), (26, "AA"), (51, "AZ"), (701, "ZZ"), (702, "AAA")])
def test_columns_have_the_letters_of_a_spreadsheet(position: int, name: str) -> None:
    assert column_letters(position) == name


@pytest.mark.parametrize("marks", ["\u0301\u0327", "\u0345\u0302\u0316"])
def test_a_header_of_any_length_is_read_in_little_time(marks: str) -> None:
    """Fails when a header is normalised before its length is checked: two million marks would take hours."""
    header = "a" + "".join(mark * 1_000_000 for mark in marks)

    assert finish_in_child(column_errors, ["phone", header], {}) == [
        f"The header of column B is longer than {MAX_HEADER_LENGTH} characters"
    ]
    assert finish_in_child(column_errors, ["phone"], {header: "notes"}) == [
        f'column_map: the file has no column "{header[:100]}…"'
    ]


def test_space_around_a_header_does_not_count_towards_its_length() -> None:
    assert field_for_header(" " * 300 + "phone" + " " * 300) == "phone"
