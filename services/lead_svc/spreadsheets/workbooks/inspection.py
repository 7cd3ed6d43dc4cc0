"""Inspect a workbook before fastexcel reads it, so that reading is safe and no error value is lost.

fastexcel (calamine) lays out a sheet as a full rectangle in memory and repeats a shared text for every cell that shows
it, so a small file with one far cell, or with one long text in every cell, would end the process. It also reads an
error value such as #N/A as an empty cell. Decision 6 has the reasons, the upstream issues and the condition on which
this package is deleted.
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from posixpath import join, normpath
from typing import Final, NamedTuple
from xml.sax.saxutils import quoteattr

from services.lead_svc.spreadsheets.file_kind import FileKind
from services.lead_svc.spreadsheets.row_errors import FileRejectedError
from services.lead_svc.spreadsheets.sheet import MAX_CELLS
from services.lead_svc.spreadsheets.workbooks import biff8, biff12, sheet_xml
from services.lead_svc.spreadsheets.workbooks.archive import damaged_workbook_error, pack, unpack
from services.lead_svc.spreadsheets.workbooks.compound_file import stream
from services.lead_svc.spreadsheets.workbooks.sheet_scan import MAX_TEXT_BYTES, SheetScan

_RELATIONSHIPS: Final = "http://schemas.openxmlformats.org/package/2006/relationships"
_WORKBOOK_TYPE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"


@dataclass(frozen=True, slots=True)
class SafeWorkbook:
    """A workbook that is safe to read: its sheets in their order, and a file with these sheets and nothing else."""

    sheets: list[SheetScan]
    content: bytes


def inspect_workbook(content: bytes, kind: FileKind) -> SafeWorkbook:
    """Scan every sheet of a workbook.

    Raises
    ------
    FileRejectedError
        If the workbook is damaged or protected, or would take too much memory.
    """
    try:
        if kind is FileKind.XLS:
            sheets = _bounded(biff8.scan(stream(content, "Workbook", "Book")), together=True)
            return SafeWorkbook(sheets, content)
        workbook = _ZippedWorkbook(unpack(content), "bin" if kind is FileKind.XLSB else "xml")
        scans = workbook.scan_binary() if kind is FileKind.XLSB else workbook.scan_xml()
        return SafeWorkbook(_bounded(scans, together=False), workbook.packed())
    except (struct.error, IndexError, KeyError) as error:
        raise damaged_workbook_error() from error


def _bounded(scans: Iterator[SheetScan], *, together: bool) -> list[SheetScan]:
    """Return the scans, if the reader has memory for each sheet, or for all `together` where it reads them at once."""
    cells = text_bytes = 0
    sheets = []
    for sheet in scans:
        if not together:
            cells = text_bytes = 0
        cells += sheet.rows * sheet.columns
        text_bytes += sheet.text_bytes
        if cells > MAX_CELLS or text_bytes > MAX_TEXT_BYTES:
            raise _too_large_error(sheet)
        sheets.append(sheet)
    return sheets


class _Relationship(NamedTuple):
    """The type of a relationship, and the name of the part that it refers to."""

    type: str
    part: str


class _ZippedWorkbook:
    """The parts of a zipped workbook that the reader needs (ECMA-376 part 2; MS-XLSB 2.1.7), scanned one by one.

    The reader finds parts by rules of its own: another workbook that the archive's root names, a name with "..", a part
    of the other format, another directory of the archive. So it gets the scanned parts alone, under the usual names.
    """

    def __init__(self, members: Mapping[str, bytes], suffix: str) -> None:
        self._members = members
        self._suffix = suffix
        self._workbook = members[f"xl/workbook.{suffix}"]
        self._shared_texts = members.get(f"xl/sharedstrings.{suffix}")
        self._sheets: dict[str, _Relationship] = {}

    def scan_xml(self) -> Iterator[SheetScan]:
        """Scan the sheets of an .xlsx."""
        texts = sheet_xml.SharedTexts(self._shared_texts or b"")
        relationships = self._relationships()
        for sheet in sheet_xml.attributes(self._workbook, "sheet"):
            scan = sheet_xml.scan(self._sheet(sheet["id"], relationships), texts)
            yield replace(scan, visible=sheet.get("state", "visible") == "visible")

    def scan_binary(self) -> Iterator[SheetScan]:
        """Scan the sheets of an .xlsb."""
        lengths = biff12.text_lengths(self._shared_texts or b"")
        relationships = self._relationships()
        for relationship_id, visible in biff12.sheets(self._workbook):
            yield replace(biff12.scan(self._sheet(relationship_id, relationships), lengths), visible=visible)

    def packed(self) -> bytes:
        """Pack the scanned parts into a file."""
        workbook = f"xl/workbook.{self._suffix}"
        parts = {
            "[Content_Types].xml": b"<Types/>",
            "_rels/.rels": _relationships_xml({"rId1": _Relationship(_WORKBOOK_TYPE, workbook)}, folder=""),
            workbook: self._workbook,
            f"xl/_rels/workbook.{self._suffix}.rels": _relationships_xml(self._sheets, folder="xl/"),
        }
        if self._shared_texts is not None:
            parts[f"xl/sharedStrings.{self._suffix}"] = self._shared_texts
        styles = self._members.get(f"xl/styles.{self._suffix}")
        if styles is not None:
            parts[f"xl/styles.{self._suffix}"] = styles
        # A sheet may have the name of one of these parts; the part that was not made here must not replace it.
        return pack({sheet.part: self._members[sheet.part] for sheet in self._sheets.values()} | parts)

    def _relationships(self) -> dict[str, _Relationship]:
        """Return the relationships of the workbook to its parts, by their ids."""
        return {
            values["Id"]: _Relationship(
                values.get("Type", ""), normpath(join("/xl", values["Target"].replace("\\", "/"))).lstrip("/").lower()
            )
            for values in sheet_xml.attributes(self._members[f"xl/_rels/workbook.{self._suffix}.rels"], "Relationship")
        }

    def _sheet(self, relationship_id: str, relationships: Mapping[str, _Relationship]) -> bytes:
        relationship = relationships[relationship_id]
        # Sheets that share a part would be scanned, and read, again and again.
        if any(sheet.part == relationship.part for sheet in self._sheets.values()):
            raise damaged_workbook_error()
        self._sheets[relationship_id] = relationship
        return self._members[relationship.part]


def _relationships_xml(relationships: Mapping[str, _Relationship], *, folder: str) -> bytes:
    """Return the relationships of a part in a folder; the reader of .xlsb knows targets below that folder only."""
    entries = "".join(
        f"<Relationship Id={quoteattr(identifier)} Type={quoteattr(type_)} Target={quoteattr(_target(part, folder))}/>"
        for identifier, (type_, part) in relationships.items()
    )
    return f'<Relationships xmlns="{_RELATIONSHIPS}">{entries}</Relationships>'.encode()


def _target(part: str, folder: str) -> str:
    return part.removeprefix(folder) if part.startswith(folder) else f"/{part}"


def _too_large_error(sheet: SheetScan) -> FileRejectedError:
    return FileRejectedError.because(
        "sheet_too_large",
        f"The Excel file is too large: its cells reach to row {sheet.rows:,} and column {sheet.columns:,}",
    )
