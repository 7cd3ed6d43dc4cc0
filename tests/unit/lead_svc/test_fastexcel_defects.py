"""The defects of fastexcel and calamine for which spreadsheets/workbooks exists are still there (decision 6).

A test that fails here is good news: read its message, then decision 6.
"""

import signal
import struct
from typing import Final

import fastexcel
import pytest

from tests.fixtures.child_process import exit_code_of_child
from tests.fixtures.lead_files import OLD_WORKBOOK, Formula, with_sheet_xml, workbook

MAX_MEMORY: Final = 4 * 1024**3
FIXED: Final = (
    "fixed upstream: {issue}. Delete what guards against it ({guard}); when the defects of this file are all fixed, "
    "delete spreadsheets/workbooks except archive.unpack, and see decision 6"
)


def read_alone(content: bytes) -> list[tuple[str | None, ...]]:
    """The first sheet as the installed fastexcel reads it, without any inspection."""
    sheet = fastexcel.read_excel(content).load_sheet(0, header_row=None, skip_rows=0, dtypes="string")
    return sheet.to_polars().rows()


def test_a_workbook_that_is_harmless_is_read() -> None:
    """Fails when the tests below would see the end of a child that dies of something else."""
    assert exit_code_of_child(read_alone, workbook([["phone"]]), max_memory=MAX_MEMORY) == 0


def test_two_legal_cells_far_apart_abort_the_process() -> None:
    cells = b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>2</v></c></row>'

    exit_code = exit_code_of_child(read_alone, with_sheet_xml(cells), max_memory=MAX_MEMORY)

    issue = "calamine #693 (PR #661), fastexcel #487"
    guard = "sheet_xml.scan, biff12.scan, biff8.scan, MAX_CELLS of workbooks, MAX_TEXT_BYTES"
    assert exit_code == -signal.SIGABRT, FIXED.format(issue=issue, guard=guard)


def with_announced_texts() -> bytes:
    table = b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" uniqueCount="4294967295"/>'
    cells = b'<row r="1"><c r="A1"><v>1</v></c></row>'
    return with_sheet_xml(cells, **{"xl/sharedStrings.xml": table})


def with_announced_sectors(position: int) -> bytes:
    content = OLD_WORKBOOK.read_bytes()
    return content[:position] + struct.pack("<I", 0x7FFFFFFF) + content[position + 4 :]


@pytest.mark.parametrize(
    ("content", "guard"),
    [
        (with_announced_texts(), "sheet_xml._announced_texts"),
        (with_announced_sectors(44), "compound_file._CompoundFile.__init__: tables"),
        (with_announced_sectors(64), "compound_file._CompoundFile.__init__: small_tables"),
    ],
    ids=["shared texts", "sectors of the table", "small tables"],
)
def test_numbers_that_a_header_announces_abort_the_process(content: bytes, guard: str) -> None:
    exit_code = exit_code_of_child(read_alone, content, max_memory=MAX_MEMORY)

    assert exit_code == -signal.SIGABRT, FIXED.format(issue="calamine #684, #714", guard=guard)


def test_error_values_are_read_as_empty_cells() -> None:
    rows = read_alone(workbook([["phone", "x"], ["1", Formula("=NA()", "#N/A")], ["2", "y"]]))

    issue = "fastexcel #229, #316 (PR #180 made it so)"
    message = FIXED.format(issue=issue, guard="sheet_scan.ErrorValues")
    assert rows == [("phone", "x"), ("1", None), ("2", "y")], message
