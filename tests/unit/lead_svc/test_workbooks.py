"""Workbooks that would end the process or keep it busy are rejected before fastexcel reads them."""

import re
import struct
import zipfile
from collections.abc import Mapping
from io import BytesIO

import pytest

from services.lead_svc.spreadsheets.row_errors import FileRejectedError
from services.lead_svc.spreadsheets.workbooks import archive, biff8, biff12, compound_file, sheet_xml
from tests.fixtures.child_process import finish_in_child
from tests.fixtures.lead_files import (
    OLD_WORKBOOK,
    archive_of,
    binary_workbook,
    compound_file_of,
    parts_of,
    rejection_of,
    sheet_of,
    with_sheet_xml,
    workbook,
)

DAMAGED = "The Excel file cannot be read; it may be damaged"


def outcome_of(content: bytes, filename: str = "leads.xlsx") -> str:
    """The number of cells with errors, or why the file is rejected: what a child process can send back."""
    try:
        sheet = sheet_of(content, filename)
    except FileRejectedError as rejection:
        return rejection.message
    return f"{len(sheet.errors) + sheet.unlisted_error_count} cells with errors"


def outcomes_of(files: Mapping[str, bytes]) -> dict[str, str]:
    """The outcome of each file, by its name: one child process for all of them."""
    return {name: outcome_of(content) for name, content in files.items()}


NAMESPACE = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
TOO_LARGE_UNPACKED = "The Excel file is too large when unpacked: more than 200 MB or 5,000 parts"


def bomb(name: str, size: int) -> bytes:
    content = BytesIO(workbook([["phone"], ["1"]]))
    with zipfile.ZipFile(content, "a", zipfile.ZIP_DEFLATED) as members, members.open(name, "w") as member:
        for _ in range(size // 1_000_000):
            member.write(b" " * 1_000_000)
    return content.getvalue()


def test_a_bomb_is_refused() -> None:
    assert rejection_of(bomb("xl/media/image1.png", 210_000_000)) == TOO_LARGE_UNPACKED


def test_a_bomb_that_declares_a_small_size_is_refused() -> None:
    content = bomb("xl/media/image1.png", 210_000_000)
    declared = struct.pack("<I", 210_000_000)
    assert content.count(declared) == 2

    assert rejection_of(content.replace(declared, struct.pack("<I", 10))) == TOO_LARGE_UNPACKED


def test_many_small_bombs_are_refused() -> None:
    members = parts_of(workbook([["phone"], ["1"]]))
    members |= {f"xl/media/image{number}.png": b" " * 30_000_000 for number in range(7)}

    assert rejection_of(archive_of(members)) == TOO_LARGE_UNPACKED


def test_too_many_members_are_refused() -> None:
    members = parts_of(workbook([["phone"], ["1"]])) | {f"x{number}": b"" for number in range(archive.MAX_MEMBERS)}

    assert rejection_of(archive_of(members)) == TOO_LARGE_UNPACKED


TOO_MANY_CELLS = "The Excel file is too large: a sheet may have at most 3,000,000 cells"
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
    assert rejection_of(with_sheet_xml(b'<row r="1"><c r="A1"><v>1</v></c></row>' + cells)) == message


def test_more_cells_than_fit_into_memory_are_refused() -> None:
    cells = b'<row r="1">' + b"<c/>" * 3_000_001 + b"</row>"

    assert (
        rejection_of(with_sheet_xml(cells)) == "The Excel file is too large: a sheet may have at most 3,000,000 cells"
    )


def test_one_long_text_in_every_cell_is_refused() -> None:
    shared = b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>%b</t></si></sst>'
    cells = b"".join(b'<row r="%d"><c r="A%d" t="s"><v>0</v></c></row>' % (row, row) for row in range(1, 5_001))

    content = with_sheet_xml(cells, **{"xl/sharedStrings.xml": shared % (b"x" * 30_000)})

    assert rejection_of(content).startswith("The Excel file is too large")


def test_long_texts_that_one_cell_each_refers_to_are_read() -> None:
    texts = [f"{number} {'x' * 30_000}" for number in range(500)]
    rows = [["phone", "notes", *"abcdefgh"], *([str(at), text, *"abcdefgh"] for at, text in enumerate(texts))]

    assert sheet_of(workbook(rows), "leads.xlsx").cells["1"].to_list() == texts


def test_a_declaration_of_entities_is_refused() -> None:
    with pytest.raises(FileRejectedError) as rejection:
        sheet_xml.attributes(b'<!DOCTYPE x [<!ENTITY a "aaaa">]><sheet name="&a;"/>', "sheet")

    assert rejection.value.message == DAMAGED


@pytest.mark.parametrize("cell", [b'<c r="A2" t="e"/>', b'<c r="A2" t="e"><f>NA()</f></c>'])
def test_a_cell_without_a_value_is_not_searched_past_its_end(cell: bytes) -> None:
    """Fails when each cell is searched for a value behind the next ones: millions of them would take minutes."""
    cells = b'<row r="1"><c r="A1"><v>1</v></c></row><row r="2">%b<c r="B2" t="e"><v>#N/A</v></c></row>' % cell

    errors = sheet_of(with_sheet_xml(cells), "leads.xlsx").errors

    assert [error.value for error in errors] == ["error", "#N/A"]


def test_an_old_workbook_that_claims_impossible_dimensions_is_refused() -> None:
    content = OLD_WORKBOOK.read_bytes()
    dimensions = content.rindex(b"\x00\x02\x0e\x00") + 4

    assert rejection_of(content[: dimensions + 4] + b"\xff\xff\xff\x7f" + content[dimensions + 8 :]) == DAMAGED
    assert rejection_of(content[: dimensions + 8] + b"\xff\xff" + content[dimensions + 10 :]) == DAMAGED


@pytest.mark.parametrize("place", [40, 44, 64, 72])
def test_a_compound_file_that_announces_more_than_it_can_contain_is_refused(place: int) -> None:
    content = OLD_WORKBOOK.read_bytes()

    assert rejection_of(content[:place] + b"\xff\xff\xff\x7f" + content[place + 4 :]) == DAMAGED


def test_an_old_workbook_that_announces_more_texts_than_it_can_contain_is_refused() -> None:
    content = OLD_WORKBOOK.read_bytes()
    record = re.search(rb"\xfc\x00..(....)(....)", content, re.DOTALL)
    assert record is not None
    assert struct.unpack("<I", record[2])[0] < 20

    assert rejection_of(content[: record.start(2)] + b"\xff\xff\xff\x7f" + content[record.end() :]) == DAMAGED


@pytest.mark.parametrize(
    ("part", "old", "new"),
    [
        # A row without a number, a cell without a column, a cell in a column outside the grid: wild writes.
        ("xl/worksheets/sheet1.bin", b"\x00\x11\x01", b"\x00\x00\x63\x11\x01"),
        ("xl/worksheets/sheet1.bin", b"\x05\x10\x01\x00\x00\x00", b"\x05\x10\x01\x00\xff\x00"),
        # A text that does not exist: fastexcel panics.
        ("xl/sharedStrings.bin", b"\x13", b"\x14"),
    ],
)
def test_a_binary_workbook_with_numbers_out_of_range_is_refused(part: str, old: bytes, new: bytes) -> None:
    members = parts_of(binary_workbook([["phone", "x"], ["1", 2.5]]))
    assert old in members[part]

    assert rejection_of(archive_of(members | {part: members[part].replace(old, new)})) == DAMAGED


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

    assert rejection_of(bytes(content)) == DAMAGED


@pytest.mark.parametrize("content", [workbook([["phone"], ["1"]]), binary_workbook([["phone"], ["1"]])])
def test_a_truncated_workbook_is_refused(content: bytes) -> None:
    for length in range(60, len(content), 97):
        with pytest.raises(FileRejectedError):
            sheet_of(content[:length], "leads.xlsx")


@pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/worksheets/sheet1.xml"])
@pytest.mark.parametrize("change", [b"", b"<", b"\0\0"])
def test_a_workbook_with_a_broken_part_is_refused(part: str, change: bytes) -> None:
    assert rejection_of(archive_of(parts_of(workbook([["phone"], ["1"]])) | {part: change})) == DAMAGED


def test_two_members_of_one_name_are_refused() -> None:
    content = BytesIO(workbook([["phone"], ["1"]]))
    with zipfile.ZipFile(content, "a") as members:
        members.writestr("XL/worksheets/sheet1.xml", b"<x/>")

    assert rejection_of(content.getvalue()) == DAMAGED


def test_a_member_behind_a_password_is_refused() -> None:
    content = workbook([["phone"], ["1"]])
    at = content.index(b"PK\x01\x02")
    content = content[: at + 8] + b"\x01" + content[at + 9 :]

    assert rejection_of(content) == "The file is protected with a password"


def test_a_cell_of_spaces_is_read_in_little_time() -> None:
    """Fails when one expression has several quantifiers for the same spaces: 100 such cells would take 15 minutes."""
    header = b"<row>" + b'<c t="inlineStr"><is><t>phone</t></is></c>' + b"</row>"
    files = {}
    for cell in (b"<v>%s#N/A</v>", b"<v>%s</v>", b"<v %s>#N/A</v>", b"<f>%s</f><v>#N/A</v>"):
        cells = b"".join(b'<row><c t="e">' + cell % (b" " * 2_500) + b"</c></row>" for _ in range(100))
        files[cell.decode()] = with_sheet_xml(header + cells)

    assert set(finish_in_child(outcomes_of, files).values()) <= {"100 cells with errors", DAMAGED}


NEAR_CELLS = b'<row r="1"><c r="A1" t="inlineStr"><is><t>phone</t></is></c></row>'
FAR_CELLS = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'


def with_two_sheets(near: str, far: str, **texts: tuple[str, str]) -> bytes:
    """An .xlsx with two sheet parts of these names; `texts` has replacements by part, "workbook" for its relations."""
    members = parts_of(with_sheet_xml(NEAR_CELLS))
    sheet = members.pop("xl/worksheets/sheet1.xml")
    members |= {near: sheet, far: sheet.replace(NEAR_CELLS, FAR_CELLS)}
    for part, (old, new) in texts.items():
        name = {"workbook": "xl/_rels/workbook.xml.rels", "root": "_rels/.rels"}[part]
        assert old.encode() in members[name]
        members[name] = members[name].replace(old.encode(), new.encode())
    return archive_of(members)


SHEET_1 = "worksheets/sheet1.xml"
OTHER_SHEET = {
    "a name with dots": with_two_sheets(
        "xl/worksheets/sheet1.xml", f"xl/x/../{SHEET_1}", workbook=(SHEET_1, f"x/../{SHEET_1}")
    ),
    "a name that begins with dots": with_two_sheets("x/y.xml", "xl/../x/y.xml", workbook=(SHEET_1, "../x/y.xml")),
    "a name with two slashes": with_two_sheets(
        "xl/worksheets/sheet1.xml", "xl/worksheets//sheet1.xml", workbook=(SHEET_1, "worksheets//sheet1.xml")
    ),
    "another workbook": archive_of(
        parts_of(with_sheet_xml(NEAR_CELLS))
        | {
            name.replace("xl/", "x/"): part.replace(b"xl/workbook.xml", b"x/workbook.xml")
            for name, part in parts_of(with_sheet_xml(FAR_CELLS)).items()
        }
    ),
    "a workbook of the other format": archive_of(
        parts_of(binary_workbook([["phone"]])) | parts_of(with_sheet_xml(FAR_CELLS))
    ),
}


def test_the_reader_gets_the_scanned_sheets_alone() -> None:
    """Fails when fastexcel finds a sheet that was not scanned: it finds parts by rules of its own, and aborts."""
    assert finish_in_child(outcomes_of, OTHER_SHEET) == dict.fromkeys(OTHER_SHEET, "0 cells with errors")


TEXTS = b'<sst xmlns="%b" uniqueCount="%%b"><si><t>phone</t></si></sst>' % NAMESPACE
MANY_TEXTS = {
    "plain": TEXTS % b"4294967295",
    "a plus sign": TEXTS % b"+4294967295",
    "an entity": TEXTS % b"&#52;294967295",
    "single quotes": (TEXTS % b"4294967295").replace(b'"', b"'"),
    "a prefix": b'<x:sst xmlns:x="x" uniqueCount="4294967295"></x:sst>',
    "behind a comment": b"<!-- " + b"x" * 100_000 + b" -->" + TEXTS % b"4294967295",
    "in a second table": (TEXTS % b"1").replace(b"</si>", b"</si>" + TEXTS % b"4294967295"),
    "behind a long attribute": (TEXTS % b"4294967295").replace(
        b"uniqueCount", b'x="' + b"x" * 20_000 + b'" uniqueCount'
    ),
}


def test_a_table_that_announces_more_texts_than_it_can_have_is_rejected() -> None:
    """Fails when the table reaches calamine, which reserves 100 GB for it."""
    cells = b'<row r="1"><c r="A1" t="s"><v>0</v></c></row>'
    files = {name: with_sheet_xml(cells, **{"xl/sharedStrings.xml": texts}) for name, texts in MANY_TEXTS.items()}

    assert finish_in_child(outcomes_of, files) == dict.fromkeys(files, DAMAGED)


def test_a_table_with_more_texts_than_cells_can_show_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet_xml, "MAX_CELLS", 2)
    cells = b'<row r="1"><c r="A1" t="s"><v>0</v></c></row>'
    table = b'<x:sst xmlns:x="%b">%b</x:sst>' % (NAMESPACE, b"<x:si/>" * 3)

    assert rejection_of(with_sheet_xml(cells, **{"xl/sharedStrings.xml": table})) == TOO_MANY_CELLS


@pytest.mark.parametrize("cells", [b"<x:c/>" * 3, b'<x:c r="A1"/>' * 3], ids=["a row", "one place"])
def test_cells_with_a_prefix_are_counted(cells: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet_xml, "MAX_CELLS", 2)

    assert rejection_of(with_sheet_xml(b'<x:row xmlns:x="x">' + cells + b"</x:row>")) == TOO_MANY_CELLS


def test_rows_without_cells_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet_xml, "MAX_CELLS", 2)

    assert rejection_of(with_sheet_xml(b"<row/>" * 3)) == TOO_MANY_CELLS


@pytest.mark.parametrize("limit", ["MAX_CELLS", "MAX_RECORDS"])
def test_the_cells_and_records_of_a_binary_sheet_are_counted(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    content = binary_workbook([["phone"], *([["1"]] * 30)])
    assert rejection_of_or_none(content) is None
    monkeypatch.setattr(biff12, limit, 20)

    assert rejection_of(content) == TOO_MANY_CELLS


def rejection_of_or_none(content: bytes) -> str | None:
    return None if outcome_of(content) == "0 cells with errors" else outcome_of(content)


def test_a_workbook_part_with_more_elements_than_any_has_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    content = workbook([["phone"], ["1"]])
    monkeypatch.setattr(sheet_xml, "MAX_ELEMENTS", 5)

    assert rejection_of(content) == DAMAGED


def test_sheets_that_share_a_part_are_rejected() -> None:
    """Fails when a sheet is scanned as often as it is listed: 5,000 times 100 MB of XML take hours."""
    members = parts_of(workbook([["phone"]], hidden=[["x"]]))
    relationships = "xl/_rels/workbook.xml.rels"
    shared = members[relationships].replace(b"worksheets/sheet2.xml", b"worksheets/./sheet1.xml")

    assert shared != members[relationships]
    assert rejection_of(archive_of(members | {relationships: shared})) == DAMAGED


def scan_old_workbook(workbook: bytes) -> str:
    try:
        return str(len(list(biff8.scan(workbook))))
    except FileRejectedError as rejection:
        return rejection.message


def test_sheets_that_share_their_records_are_rejected_in_little_time() -> None:
    """Fails when each sheet is scanned to its end wherever it starts: 100,000 sheets of 100,000 records take days."""
    count = 100_000
    start = 12 * count + 4
    sheets = b"".join(struct.pack("<2HI4s", 0x85, 8, start + 4 * number, b"") for number in range(count))
    end = struct.pack("<2H", 0x0A, 0)

    assert finish_in_child(scan_old_workbook, sheets + end + struct.pack("<2H", 0x01, 0) * count + end) == DAMAGED


def test_members_that_share_their_bytes_are_rejected() -> None:
    """Fails when a member is inflated from bytes of others: 5,000 times 10 MB that inflate to nothing take minutes."""
    content = bytearray(workbook([["phone"], ["1"]]))
    for entry in re.finditer(b"PK\x01\x02", bytes(content)):
        struct.pack_into("<I", content, entry.start() + 20, len(content) - 1_000)

    assert rejection_of(bytes(content)) == DAMAGED


def test_a_compound_file_with_more_small_tables_than_small_sectors_is_rejected() -> None:
    """Fails when the file reaches calamine, which takes 65,536 times their number for a number of sectors."""
    content = OLD_WORKBOOK.read_bytes().ljust(10_000_000, b"\0")
    content = content[:64] + struct.pack("<I", 19_000) + content[68:]

    assert finish_in_child(outcome_of, content) == DAMAGED
