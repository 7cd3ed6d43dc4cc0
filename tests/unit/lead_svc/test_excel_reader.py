from datetime import date, datetime, time

import pytest

from services.lead_svc.spreadsheets.sheet import Sheet
from tests.fixtures.lead_files import (
    OLD_WORKBOOK,
    Formula,
    Row,
    binary_workbook,
    rejection_of,
    sheet_of,
    with_sheet_xml,
    workbook,
)


def cells_of(content: bytes) -> list[tuple[str | None, ...]]:
    return sheet_of(content, "leads.xlsx").cells.rows()


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("+14155552671", "+14155552671"),
        ("02134", "02134"),
        (14155552671, "14155552671"),
        (14155552671.0, "14155552671"),
        (12.50, "12.5"),
        (7.0, "7"),
        (-3, "-3"),
        (0.1 + 0.2, "0.3"),
        (5000000.25, "5000000.25"),
        (0.00001, "0.00001"),
        (True, "true"),
        (date(2024, 3, 1), "2024-03-01"),
        (datetime.fromisoformat("2024-03-01T09:05"), "2024-03-01T09:05:00"),
        (datetime.fromisoformat("2024-03-01"), "2024-03-01"),
        (time(14, 30), "14:30:00"),
        (time(0, 0), "00:00:00"),
        (time(23, 59, 59), "23:59:59"),
        (Formula('="+1415"&"5552671"', "+14155552671"), "+14155552671"),
        (Formula("=14155552670+1", 14155552671), "14155552671"),
        (" Zoë\nlong ", " Zoë\nlong "),
        ("2024-03-01 is a date", "2024-03-01 is a date"),
        (None, None),
    ],
)
def test_a_cell_becomes_the_text_that_a_spreadsheet_displays(cell: object, text: str | None) -> None:
    assert cells_of(workbook([["phone", "x"], [1, cell]])) == [("1", text)]


@pytest.mark.parametrize("minute", range(0, 1_440, 7))
def test_every_time_of_day_is_exact(minute: int) -> None:
    moment = time(minute // 60, minute % 60)

    assert cells_of(workbook([["phone"], [moment]])) == [(moment.isoformat(),)]


@pytest.mark.parametrize("first_row", [0, 1, 7])
def test_rows_have_the_numbers_that_a_spreadsheet_displays(first_row: int) -> None:
    sheet = sheet_of(workbook([["phone"], ["1"], [], ["2"]], first_row=first_row), "leads.xlsx")

    assert (sheet.headers, sheet.first_row) == (("phone",), first_row + 2)
    assert sheet.cells.rows() == [("1",), (None,), ("2",)]


def test_the_first_visible_sheet_counts() -> None:
    sheet = sheet_of(workbook([["phone"], ["1"]], hidden=[["email"], ["a@example.com"]]), "leads.xlsx")

    assert (sheet.headers, sheet.cells.rows()) == (("phone",), [("1",)])


@pytest.mark.parametrize("rows", [[], [[]], [["", " "]]])
def test_an_empty_sheet_has_no_header(rows: list[list[str]]) -> None:
    assert sheet_of(workbook(rows), "leads.xlsx").headers == ()


def test_an_old_workbook_is_read_like_a_new_one() -> None:
    sheet = sheet_of(OLD_WORKBOOK.read_bytes(), "leads.xls")

    assert sheet.headers[:5] == ("First Name", "Phone", "Best Time To Call", "Lead Score", "Signed Up")
    assert sheet.headers[5:] == ("Last Seen", "Score", "Ok", "Zip", "Revenue")
    assert sheet.first_row == 4
    assert sheet.cells.row(0)[:5] == ("Zoë", "14155552671", "14:30:00", "85", "2024-03-01")
    assert sheet.cells.row(0)[5:] == ("2024-03-01T09:05:00", None, "true", "02134", "12.5")
    assert sheet.cells.row(2)[:2] == ("John", "+1234567890")
    assert errors_of(sheet) == [(6, 4, "Cell E6 contains the error #DIV/0!"), (6, 9, "Cell J6 contains the error #N/A")]


def test_a_binary_workbook_is_read_like_any_other() -> None:
    rows: list[Row] = [["First Name", "phone", "score"], ["Zoë", 14155552671, 12.5], ["John", "+1234567890", "#N/A"]]

    sheet = sheet_of(binary_workbook(rows), "leads.xlsx")

    assert sheet.headers == ("First Name", "phone", "score")
    assert sheet.cells.rows() == [("Zoë", "14155552671", "12.5"), ("John", "+1234567890", None)]
    assert errors_of(sheet) == [(3, 2, "Cell C3 contains the error #N/A")]


def errors_of(sheet: Sheet) -> list[tuple[int, int | None, str]]:
    assert {error.code for error in sheet.errors} <= {"error_cell"}
    return [(error.row, error.column, error.message) for error in sheet.errors]


def test_every_error_value_is_an_error_of_its_cell() -> None:
    rows: list[Row] = [["phone", "x"], ["1", Formula("=NA()", "#N/A")], [], [Formula("=1/0", "#DIV/0!"), "y"]]

    sheet = sheet_of(workbook(rows, first_row=3, hidden=[[1, 2]]), "leads.xlsx")

    assert errors_of(sheet) == [(5, 1, "Cell B5 contains the error #N/A"), (7, 0, "Cell A7 contains the error #DIV/0!")]
    assert [error.value for error in sheet.errors] == ["#N/A", "#DIV/0!"]


def test_errors_are_found_in_xml_of_any_style() -> None:
    cells = (
        b"<row><c t='inlineStr'><is><t>phone</t></is></c><c t=\"inlineStr\"><is><t>x</t></is></c></row>"
        b"<row><c><v>4155552671</v></c><c s='0'\n t = 'e' ><f>NA()</f><v>#N/A</v></c></row>"
    )

    assert errors_of(sheet_of(with_sheet_xml(cells), "leads.xlsx")) == [(2, 1, "Cell B2 contains the error #N/A")]


def test_an_error_above_the_rows_does_not_matter() -> None:
    cells = b'<row r="1"><c r="C1" t="e"><v>#N/A</v></c></row><row r="2"><c r="A2" t="str"><v>phone</v></c></row>'

    assert sheet_of(with_sheet_xml(cells), "leads.xlsx").errors == ()


def test_a_workbook_of_a_thousand_columns_is_read_and_of_more_is_not() -> None:
    header = ["phone", *(f"c{number}" for number in range(999))]

    assert sheet_of(workbook([header, header]), "leads.xlsx").headers == tuple(header)
    assert rejection_of(workbook([[*header, "more"]])) == "A file may have at most 1,000 columns"
