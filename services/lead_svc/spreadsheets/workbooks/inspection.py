"""What the reader of workbooks does not tell, and would not survive.

It lays a sheet out as a full rectangle in memory and repeats a shared text for every cell that shows it, so a small
file with one far cell, or with one long text shown everywhere, would end the process. And it reads an error like #N/A
as an empty cell, which would silently lose what the cell should have said.
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import replace
from posixpath import join, normpath

from services.lead_svc.spreadsheets.file_kind import FileKind
from services.lead_svc.spreadsheets.row_errors import FileRejectedError
from services.lead_svc.spreadsheets.workbooks import biff8, biff12, sheet_xml
from services.lead_svc.spreadsheets.workbooks.archive import damaged_workbook_error, unpack
from services.lead_svc.spreadsheets.workbooks.compound_file import stream
from services.lead_svc.spreadsheets.workbooks.sheet_scan import MAX_CELLS, MAX_TEXT_BYTES, SheetScan


def scan_workbook(content: bytes, kind: FileKind) -> list[SheetScan]:
    """The sheets of a workbook that is safe to read, in their order.

    Raises
    ------
    FileRejectedError
        If the workbook is damaged or protected, or would take too much memory.
    """
    cells = text_bytes = 0
    sheets = []
    try:
        for sheet in _scans(content, kind):
            if kind is not FileKind.XLS:  # of which the reader holds all sheets at once
                cells = text_bytes = 0
            cells += sheet.rows * sheet.columns
            text_bytes += sheet.text_bytes
            if cells > MAX_CELLS or text_bytes > MAX_TEXT_BYTES:
                raise _too_large(sheet)
            sheets.append(sheet)
    except (struct.error, IndexError, KeyError) as error:
        raise damaged_workbook_error() from error
    return sheets


def _scans(content: bytes, kind: FileKind) -> Iterator[SheetScan]:
    if kind is FileKind.XLS:
        return biff8.scan(stream(content, "Workbook", "Book"))
    members = unpack(content)
    return _scan_binary(members) if kind is FileKind.XLSB else _scan_xml(members)


def _scan_xml(members: Mapping[str, bytes]) -> Iterator[SheetScan]:
    texts = sheet_xml.SharedTexts(members.get("xl/sharedstrings.xml", b""))
    targets = _targets(members, "xl/_rels/workbook.xml.rels")
    for sheet in sheet_xml.attributes(members["xl/workbook.xml"], "sheet"):
        scan = sheet_xml.scan(members[targets[sheet["id"]]], texts)
        yield replace(scan, visible=sheet.get("state", "visible") == "visible")


def _scan_binary(members: Mapping[str, bytes]) -> Iterator[SheetScan]:
    lengths = biff12.text_lengths(members.get("xl/sharedstrings.bin", b""))
    targets = _targets(members, "xl/_rels/workbook.bin.rels")
    for relation, visible in biff12.sheets(members["xl/workbook.bin"]):
        yield replace(biff12.scan(members[targets[relation]], lengths), visible=visible)


def _targets(members: Mapping[str, bytes], relations: str) -> dict[str, str]:
    """The names of the parts that a workbook refers to."""
    return {
        relation["Id"]: normpath(join("/xl", relation["Target"].replace("\\", "/"))).lstrip("/").lower()
        for relation in sheet_xml.attributes(members[relations], "Relationship")
    }


def _too_large(sheet: SheetScan) -> FileRejectedError:
    return FileRejectedError.because(
        "sheet_too_large",
        f"The Excel file is too large: its cells reach to row {sheet.rows:,} and column {sheet.columns:,}",
    )
