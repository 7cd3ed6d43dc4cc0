"""Scan the sheets of a zipped workbook of XML, .xlsx (ECMA-376 part 1, chapter 18)."""

import re
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Final
from xml.parsers import expat

from services.lead_svc.spreadsheets.sheet import MAX_CELLS
from services.lead_svc.spreadsheets.workbooks.archive import MAX_MEMBERS, damaged_workbook_error
from services.lead_svc.spreadsheets.workbooks.sheet_scan import (
    MAX_TEXT_BYTES,
    ErrorValues,
    SheetScan,
    referenced_bytes,
    too_many_cells_error,
)

MAX_ELEMENTS: Final = 1_000_000
"""Most elements of a part that lists sheets or relationships: they are parsed with a Python call for each."""

# Patterns instead of a parser, each with a fixed beginning: 10,000 rows are 8 MB of XML. A sheet is scanned by element
# only if a row or cell has a prefix or is not plainly within A1:Z99999; any other sheet is small enough.
_PREFIXED: Final = re.compile(rb":(?:c|row)[\s/>]")
_FAR_ROW: Final = re.compile(rb'<row[\s/>](?!r="[0-9]{1,5}")')
_FAR_CELL: Final = re.compile(rb'<c[\s/>](?!r="[A-Z]?[0-9]{1,5}")')
_NEAR_ROWS: Final = 99_999
_NEAR_COLUMNS: Final = 26
_MAX_CELL_BYTES: Final = 2_000
# Every row and cell, with its reference where that is the first attribute, which is nearly always.
_REFERENCE: Final = re.compile(rb'<(?:c|row)[\s/>](?:r="([A-Z]*)([0-9]+)")?')
_ANY_REFERENCE: Final = re.compile(r"([A-Za-z]*)([0-9]+)")
_ERROR_TYPE: Final = re.compile(rb"""t\s*=\s*["']e["']""")
# The value of a cell, or the next cell, so that a cell without a value is not searched past its end. One quantifier for
# the whole value: several that match the same spaces take time with the cube of their number.
_VALUE_OR_CELL: Final = re.compile(rb"<(?:[^\s<>/:]+:)?(?:v(?:\s[^<>]*)?>([^<]*)<|c[\s/>])")
_TEXT_TABLE: Final = re.compile(rb"sst[\s/>]")
_TEXT_TABLE_START: Final = re.compile(rb"<(?:[^\s<>/:]+:)?\Z")
_MAX_PREFIX_BYTES: Final = 1_000
_MAX_TAG_BYTES: Final = 10_000


def attributes(xml: bytes, element: str) -> list[dict[str, str]]:
    """Return the attributes of every such element, by their names without prefix.

    Raises
    ------
    FileRejectedError
        If the XML is invalid, or has more elements than the part of a workbook would have.
    """
    if xml.count(b"<") > MAX_ELEMENTS:
        raise damaged_workbook_error()
    found: list[dict[str, str]] = []

    def start(name: str, values: dict[str, str]) -> None:
        if _local(name) == element:
            found.append({_local(key): value for key, value in values.items()})

    _parse(xml, start)
    if len(found) > MAX_MEMBERS:
        raise damaged_workbook_error()
    return found


class SharedTexts:
    """The texts that cells refer to by their index (ECMA-376 part 1, 18.4.9).

    Raises
    ------
    FileRejectedError
        If there are more than `MAX_CELLS` texts, or as many are announced: the reader reserves memory for them.
    """

    def __init__(self, xml: bytes) -> None:
        if xml.count(b"<si") + xml.count(b":si") > MAX_CELLS:
            raise too_many_cells_error()
        if _announced_texts(xml) > MAX_CELLS:
            raise damaged_workbook_error()
        self._xml = xml
        self.max_bytes = max(map(len, xml.split(b"<si")))
        """No text has more bytes."""

    def lengths(self) -> list[int]:
        """Return the number of characters of each text."""
        lengths: list[int] = []

        def start(name: str, _attributes: dict[str, str]) -> None:
            if _local(name) == "si":
                lengths.append(0)

        def text(characters: str) -> None:
            if lengths:
                lengths[-1] += len(characters)

        if self._xml:
            _parse(self._xml, start, text=text)
        return lengths


def _announced_texts(xml: bytes) -> int:
    """Return the number of texts that the table announces, 0 if it announces none.

    Raises
    ------
    FileRejectedError
        If there are several tables, of which the reader may take any.
    """
    starts = []
    for name in _TEXT_TABLE.finditer(xml):
        start = xml.rfind(b"<", max(name.start() - _MAX_PREFIX_BYTES, 0), name.start())
        if start >= 0 and _TEXT_TABLE_START.match(xml, start, name.start()):
            starts.append(start)
    if not starts:
        return 0
    if len(starts) > 1:
        raise damaged_workbook_error()
    announced: list[str] = []
    parser = expat.ParserCreate("utf-8")
    parser.StartElementHandler = lambda _name, values: announced.append(values.get("uniqueCount", ""))
    with suppress(expat.ExpatError):  # of what follows the tag, which is cut somewhere
        parser.Parse(xml[starts[0] : starts[0] + _MAX_TAG_BYTES], False)
    if not announced:
        raise damaged_workbook_error()
    number = announced[0].strip().lstrip("+0")[:20]
    return int(number) if number.isdecimal() else 0


def scan(xml: bytes, texts: SharedTexts) -> SheetScan:
    """Scan a sheet. Where it is surely small enough, `rows`, `columns` and `text_bytes` are upper bounds.

    Raises
    ------
    FileRejectedError
        If the sheet has more than `MAX_CELLS` cells, or its XML is invalid.
    """
    cells = xml.count(b"<c")
    if cells > MAX_CELLS:
        raise too_many_cells_error()
    max_text_bytes = texts.max_bytes * cells
    usual = b"\0" not in xml[:100] and not _PREFIXED.search(xml) and not _ERROR_TYPE.search(xml)
    if usual and max_text_bytes <= MAX_TEXT_BYTES:
        if not _FAR_ROW.search(xml) and not _FAR_CELL.search(xml):
            return SheetScan(_NEAR_ROWS, _NEAR_COLUMNS, max_text_bytes, ErrorValues())
        if xml.count(b"<row") > MAX_CELLS:
            raise too_many_cells_error()
        references = _REFERENCE.findall(xml)
        if all(number for _, number in references):
            rows = max((int(number[:9]) for number in {number for _, number in references}), default=0)
            columns = max(
                (_column(letters.decode()) + 1 for letters in {letters for letters, _ in references}), default=0
            )
            return SheetScan(rows, columns, max_text_bytes, ErrorValues())
    return _scan_elements(xml, texts)


def _scan_elements(xml: bytes, texts: SharedTexts) -> SheetScan:
    """Scan a sheet element by element, which is slow but exact."""
    row = column = -1
    rows = columns = cells = 0
    error_values = ErrorValues()
    references: Counter[int] = Counter()
    parser = expat.ParserCreate()

    def start(name: str, values: dict[str, str]) -> None:
        nonlocal row, column, rows, columns, cells
        local = _local(name)
        if local not in {"row", "c"}:
            return
        reference = _ANY_REFERENCE.fullmatch(values.get("r", ""))
        # An element without a reference follows the one before it.
        if local == "row":
            row, column = int(reference[2][:9]) - 1 if reference else row + 1, -1
            return
        cells += 1
        if cells > MAX_CELLS:
            raise too_many_cells_error()
        row, column = (int(reference[2][:9]) - 1, _column(reference[1])) if reference else (row, column + 1)
        rows, columns = max(rows, row + 1), max(columns, column + 1)
        kind = values.get("t")
        if kind == "e":
            error_values.add(row, column, _value(xml, parser.CurrentByteIndex) or "error")
        elif kind == "s":
            references[_text_index(xml, parser.CurrentByteIndex)] += 1

    _parse(xml, start, parser=parser)
    text_bytes = referenced_bytes(texts.lengths(), references) + texts.max_bytes * references[-1]
    return SheetScan(rows, columns, text_bytes, error_values)


def _text_index(xml: bytes, position: int) -> int:
    value = _value(xml, position)
    return int(value[:9]) if value.isdecimal() else -1


def _value(xml: bytes, position: int) -> str:
    """Return the value of the cell that starts at a byte, "" if the cell has no value within `_MAX_CELL_BYTES`."""
    match = _VALUE_OR_CELL.search(xml, position + 1, position + _MAX_CELL_BYTES)
    return (match[1] or b"").strip().decode("utf-8", "replace") if match is not None else ""


def _column(letters: str) -> int:
    column = 0
    for letter in letters[:9].upper():
        column = column * 26 + ord(letter) - ord("A") + 1
    return column - 1


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _parse(
    xml: bytes,
    start: Callable[[str, dict[str, str]], None],
    *,
    text: Callable[[str], None] | None = None,
    parser: expat.XMLParserType | None = None,
) -> None:
    parser = parser or expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = _reject_doctype
    try:
        parser.Parse(xml, True)
    except (expat.ExpatError, LookupError) as error:
        raise damaged_workbook_error() from error


def _reject_doctype(*_declaration: object) -> None:
    # No workbook has a document type, and the entities that it can declare expand without end.
    raise damaged_workbook_error()
