import re
import struct
import zipfile
from datetime import date, datetime, time
from io import BytesIO

import pytest

from services.lead_svc.spreadsheets.row_errors import FileRejectedError
from services.lead_svc.spreadsheets.sheet import Sheet
from services.lead_svc.spreadsheets.workbooks import archive, compound_file, sheet_xml
from tests.fixtures.child_process import finish_in_child
from tests.fixtures.lead_files import (
    OLD_WORKBOOK,
    Formula,
    Row,
    archive_of,
    binary_workbook,
    compound_file_of,
    parts_of,
    sheet_of,
    with_sheet_xml,
    workbook,
)

DAMAGED = "The Excel file cannot be read; it may be damaged"


def cells_of(content: bytes) -> list[tuple[str | None, ...]]:
    return sheet_of(content, "leads.xlsx").cells.rows()


def refusal(content: bytes) -> str:
    with pytest.raises(FileRejectedError) as rejection:
        sheet_of(content, "leads.xlsx")
    return rejection.value.message


def outcome_of(content: bytes) -> str:
    """How many cells have errors, or why the file is none: what another process can send back."""
    try:
        sheet = sheet_of(content, "leads.xlsx")
    except FileRejectedError as rejection:
        return rejection.message
    return f"{len(sheet.errors) + sheet.unlisted_error_count} faulty cells"


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
def test_a_cell_becomes_the_text_that_people_see(cell: object, text: str | None) -> None:
    assert cells_of(workbook([["phone", "x"], [1, cell]])) == [("1", text)]


@pytest.mark.parametrize("minute", range(0, 1_440, 7))
def test_every_time_of_day_is_exact(minute: int) -> None:
    moment = time(minute // 60, minute % 60)

    assert cells_of(workbook([["phone"], [moment]])) == [(moment.isoformat(),)]


@pytest.mark.parametrize("first_row", [0, 1, 7])
def test_rows_have_the_numbers_that_a_spreadsheet_shows(first_row: int) -> None:
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
    assert faults_of(sheet) == [(6, 4, "Cell E6 holds the error #DIV/0!"), (6, 9, "Cell J6 holds the error #N/A")]


def test_a_binary_workbook_is_read_like_any_other() -> None:
    rows: list[Row] = [["First Name", "phone", "score"], ["Zoë", 14155552671, 12.5], ["John", "+1234567890", "#N/A"]]

    sheet = sheet_of(binary_workbook(rows), "leads.xlsx")

    assert sheet.headers == ("First Name", "phone", "score")
    assert sheet.cells.rows() == [("Zoë", "14155552671", "12.5"), ("John", "+1234567890", None)]
    assert faults_of(sheet) == [(3, 2, "Cell C3 holds the error #N/A")]


def faults_of(sheet: Sheet) -> list[tuple[int, int | None, str]]:
    assert {fault.code for fault in sheet.errors} <= {"error_cell"}
    return [(fault.row, fault.column, fault.message) for fault in sheet.errors]


def test_every_cell_with_an_error_is_a_fault() -> None:
    rows: list[Row] = [["phone", "x"], ["1", Formula("=NA()", "#N/A")], [], [Formula("=1/0", "#DIV/0!"), "y"]]

    sheet = sheet_of(workbook(rows, first_row=3, hidden=[[1, 2]]), "leads.xlsx")

    assert faults_of(sheet) == [(5, 1, "Cell B5 holds the error #N/A"), (7, 0, "Cell A7 holds the error #DIV/0!")]
    assert [fault.value for fault in sheet.errors] == ["#N/A", "#DIV/0!"]


def test_errors_are_found_in_xml_of_any_style() -> None:
    cells = (
        b"<row><c t='inlineStr'><is><t>phone</t></is></c><c t=\"inlineStr\"><is><t>x</t></is></c></row>"
        b"<row><c><v>4155552671</v></c><c s='0'\n t = 'e' ><f>NA()</f><v>#N/A</v></c></row>"
    )

    assert faults_of(sheet_of(with_sheet_xml(cells), "leads.xlsx")) == [(2, 1, "Cell B2 holds the error #N/A")]


@pytest.mark.parametrize("cell", [b"<v>%s#N/A</v>", b"<v>%s</v>", b"<v %s>#N/A</v>", b"<f>%s</f><v>#N/A</v>"])
def test_a_cell_of_spaces_is_read_in_little_time(cell: bytes) -> None:
    """Fails when one expression has several quantifiers for the same spaces: 100 such cells would take 15 minutes."""
    cells = b"<row>" + b'<c t="inlineStr"><is><t>phone</t></is></c>' + b"</row>"
    cells += b"".join(b'<row><c t="e">' + cell % (b" " * 2_500) + b"</c></row>" for _ in range(100))

    assert finish_in_child(outcome_of, with_sheet_xml(cells)) in {"100 faulty cells", DAMAGED}


def test_an_error_above_the_rows_does_not_matter() -> None:
    cells = b'<row r="1"><c r="C1" t="e"><v>#N/A</v></c></row><row r="2"><c r="A2" t="str"><v>phone</v></c></row>'

    assert sheet_of(with_sheet_xml(cells), "leads.xlsx").errors == ()


def test_a_workbook_of_a_thousand_columns_is_read_and_of_more_is_not() -> None:
    header = ["phone", *(f"c{number}" for number in range(999))]

    assert sheet_of(workbook([header, header]), "leads.xlsx").headers == tuple(header)
    assert refusal(workbook([[*header, "more"]])) == "A file may have at most 1,000 columns"


# Files that would end the process, or keep it busy.

TOO_LARGE_UNPACKED = "The Excel file is too large when unpacked: more than 200 MB or 5,000 parts"


def bomb(name: str, size: int) -> bytes:
    content = BytesIO(workbook([["phone"], ["1"]]))
    with zipfile.ZipFile(content, "a", zipfile.ZIP_DEFLATED) as members, members.open(name, "w") as member:
        for _ in range(size // 1_000_000):
            member.write(b" " * 1_000_000)
    return content.getvalue()


def test_a_bomb_is_refused() -> None:
    assert refusal(bomb("xl/media/image1.png", 210_000_000)) == TOO_LARGE_UNPACKED


def test_a_bomb_that_declares_a_small_size_is_refused() -> None:
    content = bomb("xl/media/image1.png", 210_000_000)
    declared = struct.pack("<I", 210_000_000)
    assert content.count(declared) == 2

    assert refusal(content.replace(declared, struct.pack("<I", 10))) == TOO_LARGE_UNPACKED


def test_many_small_bombs_are_refused() -> None:
    members = parts_of(workbook([["phone"], ["1"]]))
    members |= {f"xl/media/image{number}.png": b" " * 30_000_000 for number in range(7)}

    assert refusal(archive_of(members)) == TOO_LARGE_UNPACKED


def test_too_many_members_are_refused() -> None:
    members = parts_of(workbook([["phone"], ["1"]])) | {f"x{number}": b"" for number in range(archive.MAX_MEMBERS)}

    assert refusal(archive_of(members)) == TOO_LARGE_UNPACKED


FAR = "The Excel file is too large: its cells reach to row {} and column {}"


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>', FAR.format("1,048,576", "16,384")),
        (b'<row r="2"><c r="XFD2"><v>1</v></c></row><row r="300"><c r="A300"/></row>', FAR.format("300", "16,384")),
        (b'<row r="2"><c s="1" r="XFD1048576"><v>1</v></c></row>', FAR.format("1,048,576", "16,384")),
        (b'<row r="2"><c x=">" r="XFD1048576"><v>1</v></c></row>', FAR.format("1,048,576", "16,384")),
        (b"<row r='1048576'><c r='XFD1048576'><v>1</v></c></row>", FAR.format("1,048,576", "16,384")),
        (b'<row r="999999"><c/><c/><c/><c/><v>1</v></row>', FAR.format("999,999", "4")),
        (b'<!-- <c x=" --><row><c r="XFD1048576"><v>1</v></c></row><!-- " -->', FAR.format("1,048,576", "16,384")),
        (
            b'<a-b:row xmlns:a-b="x" r="1048576"><a-b:c r="XFD1048576"><a-b:v>1</a-b:v></a-b:c></a-b:row>',
            FAR.format("1,048,576", "16,384"),
        ),
    ],
)
def test_a_far_cell_is_refused_however_it_is_written(cells: bytes, message: str) -> None:
    assert refusal(with_sheet_xml(b'<row r="1"><c r="A1"><v>1</v></c></row>' + cells)) == message


def test_more_cells_than_fit_into_memory_are_refused() -> None:
    cells = b'<row r="1">' + b"<c/>" * 3_000_001 + b"</row>"

    assert refusal(with_sheet_xml(cells)) == "The Excel file is too large: a sheet may have at most 3,000,000 cells"


def test_one_long_text_shown_everywhere_is_refused() -> None:
    shared = b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>%b</t></si></sst>'
    cells = b"".join(b'<row r="%d"><c r="A%d" t="s"><v>0</v></c></row>' % (row, row) for row in range(1, 5_001))

    content = with_sheet_xml(cells, **{"xl/sharedStrings.xml": shared % (b"x" * 30_000)})

    assert refusal(content).startswith("The Excel file is too large")


def test_long_texts_that_are_shown_once_are_read() -> None:
    texts = [f"{number} {'x' * 30_000}" for number in range(500)]
    rows = [["phone", "notes", *"abcdefgh"], *([str(at), text, *"abcdefgh"] for at, text in enumerate(texts))]

    assert sheet_of(workbook(rows), "leads.xlsx").cells["1"].to_list() == texts


def test_a_declaration_of_entities_is_refused() -> None:
    with pytest.raises(FileRejectedError) as rejection:
        sheet_xml.attributes(b'<!DOCTYPE x [<!ENTITY a "aaaa">]><sheet name="&a;"/>', "sheet")

    assert rejection.value.message == DAMAGED


def test_an_old_workbook_that_claims_impossible_dimensions_is_refused() -> None:
    content = OLD_WORKBOOK.read_bytes()
    dimensions = content.rindex(b"\x00\x02\x0e\x00") + 4

    assert refusal(content[: dimensions + 4] + b"\xff\xff\xff\x7f" + content[dimensions + 8 :]) == DAMAGED
    assert refusal(content[: dimensions + 8] + b"\xff\xff" + content[dimensions + 10 :]) == DAMAGED


@pytest.mark.parametrize("place", [40, 44, 64, 72])
def test_a_compound_file_that_announces_more_than_it_can_hold_is_refused(place: int) -> None:
    content = OLD_WORKBOOK.read_bytes()

    assert refusal(content[:place] + b"\xff\xff\xff\x7f" + content[place + 4 :]) == DAMAGED


def test_an_old_workbook_that_announces_more_texts_than_it_can_hold_is_refused() -> None:
    content = OLD_WORKBOOK.read_bytes()
    record = re.search(rb"\xfc\x00..(....)(....)", content, re.DOTALL)
    assert record is not None
    assert struct.unpack("<I", record[2])[0] < 20

    assert refusal(content[: record.start(2)] + b"\xff\xff\xff\x7f" + content[record.end() :]) == DAMAGED


@pytest.mark.parametrize(
    ("part", "old", "new"),
    [
        # A row without a number, a cell without a column, a cell in a column that there is not: a wild write each.
        ("xl/worksheets/sheet1.bin", b"\x00\x11\x01", b"\x00\x00\x63\x11\x01"),
        ("xl/worksheets/sheet1.bin", b"\x05\x10\x01\x00\x00\x00", b"\x05\x10\x01\x00\xff\x00"),
        # A text that there is not, of which the reader knows nothing but to panic.
        ("xl/sharedStrings.bin", b"\x13", b"\x14"),
    ],
)
def test_a_binary_workbook_with_wild_numbers_is_refused(part: str, old: bytes, new: bytes) -> None:
    members = parts_of(binary_workbook([["phone", "x"], ["1", 2.5]]))
    assert old in members[part]

    assert refusal(archive_of(members | {part: members[part].replace(old, new)})) == DAMAGED


def test_a_small_stream_of_a_compound_file_is_found_among_the_small_ones() -> None:
    text = bytes(range(256)) * 4 + b"end"

    assert compound_file.stream(compound_file_of({"Other": b"x" * 100, "Book": text}), "Workbook", "Book") == text


def test_a_compound_file_without_the_stream_is_refused() -> None:
    with pytest.raises(FileRejectedError):
        compound_file.stream(compound_file_of({"Other": b"x"}), "Workbook", "Book")


def test_a_compound_file_whose_sectors_run_in_a_circle_is_refused() -> None:
    content = bytearray(OLD_WORKBOOK.read_bytes())
    table = 512 * (1 + struct.unpack_from("<I", content, 76)[0])
    content[table : table + 512] = struct.pack("<128I", *range(128))

    assert refusal(bytes(content)) == DAMAGED


@pytest.mark.parametrize("content", [workbook([["phone"], ["1"]]), binary_workbook([["phone"], ["1"]])])
def test_a_truncated_workbook_is_refused(content: bytes) -> None:
    for length in range(60, len(content), 97):
        with pytest.raises(FileRejectedError):
            sheet_of(content[:length], "leads.xlsx")


@pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/worksheets/sheet1.xml"])
@pytest.mark.parametrize("change", [b"", b"<", b"\0\0"])
def test_a_workbook_with_a_broken_part_is_refused(part: str, change: bytes) -> None:
    assert refusal(archive_of(parts_of(workbook([["phone"], ["1"]])) | {part: change})) == DAMAGED


def test_two_members_of_one_name_are_refused() -> None:
    content = BytesIO(workbook([["phone"], ["1"]]))
    with zipfile.ZipFile(content, "a") as members:
        members.writestr("XL/worksheets/sheet1.xml", b"<x/>")

    assert refusal(content.getvalue()) == DAMAGED


def test_a_member_behind_a_password_is_refused() -> None:
    content = workbook([["phone"], ["1"]])
    at = content.index(b"PK\x01\x02")
    content = content[: at + 8] + b"\x01" + content[at + 9 :]

    assert refusal(content) == "The file is protected with a password"
