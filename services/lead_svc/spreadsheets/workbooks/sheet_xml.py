"""The sheets of a zipped workbook of XML, .xlsx (ECMA-376), as far as a scan needs them."""

import re
from collections import Counter
from collections.abc import Callable
from typing import Final
from xml.parsers import expat

from services.lead_svc.spreadsheets.workbooks.archive import damaged_workbook_error
from services.lead_svc.spreadsheets.workbooks.sheet_scan import (
    MAX_CELLS,
    MAX_TEXT_BYTES,
    ErrorValues,
    SheetScan,
    shown_bytes,
    too_many_cells_error,
)

# Patterns instead of a parser, and each with a fixed beginning: 10,000 rows are 8 MB of XML. A row or cell that has a
# prefix, or does not plainly lie within A1:Z99999, calls for a closer look; all others make a sheet small enough.
_PREFIXED: Final = re.compile(rb":(?:c|row)[\s/>]")
_FAR_ROW: Final = re.compile(rb'<row[\s/>](?!r="[0-9]{1,5}")')
_FAR_CELL: Final = re.compile(rb'<c[\s/>](?!r="[A-Z]?[0-9]{1,5}")')
_NEAR_ROWS: Final = 99_999
_NEAR_COLUMNS: Final = 26
_LONGEST_CELL: Final = 2_000
# Every row and cell, with its reference where that stands first, as it nearly always does.
_REFERENCE: Final = re.compile(rb'<(?:c|row)[\s/>](?:r="([A-Z]*)([0-9]+)")?')
_ANY_REFERENCE: Final = re.compile(r"([A-Za-z]*)([0-9]+)")
_ERROR_TYPE: Final = re.compile(rb"""t\s*=\s*["']e["']""")
# One quantifier for the whole value: several that match the same spaces take time with the cube of their number.
_VALUE: Final = re.compile(rb"<(?:[^\s<>/:]+:)?v(?:\s[^<>]*)?>([^<]*)<")


def attributes(xml: bytes, element: str) -> list[dict[str, str]]:
    """The attributes of every such element, by their names without prefix."""
    found: list[dict[str, str]] = []

    def start(name: str, given: dict[str, str]) -> None:
        if _local(name) == element:
            found.append({_local(key): value for key, value in given.items()})

    _parse(xml, start)
    return found


class SharedTexts:
    """The texts that cells refer to by their numbers."""

    def __init__(self, xml: bytes) -> None:
        self._xml = xml
        self.longest = max(map(len, xml.split(b"<si")))
        """No text has more bytes."""

    def lengths(self) -> list[int]:
        """How many characters each of the texts has."""
        lengths: list[int] = []

        def start(name: str, _given: dict[str, str]) -> None:
            if _local(name) == "si":
                lengths.append(0)

        def text(characters: str) -> None:
            if lengths:
                lengths[-1] += len(characters)

        if self._xml:
            _parse(self._xml, start, text=text)
        return lengths


def scan(xml: bytes, texts: SharedTexts) -> SheetScan:
    """The reach, texts and errors of a sheet; where they are surely small enough, an upper bound of reach and texts."""
    cells = xml.count(b"<c")
    if cells > MAX_CELLS:
        raise too_many_cells_error()
    most_text = texts.longest * cells
    usual = b"\0" not in xml[:100] and not _PREFIXED.search(xml) and not _ERROR_TYPE.search(xml)
    if usual and most_text <= MAX_TEXT_BYTES:
        if not _FAR_ROW.search(xml) and not _FAR_CELL.search(xml):
            return SheetScan(_NEAR_ROWS, _NEAR_COLUMNS, most_text, ErrorValues())
        references = _REFERENCE.findall(xml)
        if all(number for _, number in references):
            rows = max((int(number[:9]) for number in {number for _, number in references}), default=0)
            columns = max(
                (_column(letters.decode()) + 1 for letters in {letters for letters, _ in references}), default=0
            )
            return SheetScan(rows, columns, most_text, ErrorValues())
    return _scan_cells(xml, texts)


def _scan_cells(xml: bytes, texts: SharedTexts) -> SheetScan:
    """The same, cell by cell, as slowly as that is."""
    row = column = -1
    rows = columns = 0
    errors = ErrorValues()
    shown: Counter[int] = Counter()
    parser = expat.ParserCreate()

    def start(name: str, given: dict[str, str]) -> None:
        nonlocal row, column, rows, columns
        local = _local(name)
        if local not in {"row", "c"}:
            return
        reference = _ANY_REFERENCE.fullmatch(given.get("r", ""))
        # What has no reference is the one behind the last.
        if local == "row":
            row, column = int(reference[2][:9]) - 1 if reference else row + 1, -1
            return
        row, column = (int(reference[2][:9]) - 1, _column(reference[1])) if reference else (row, column + 1)
        rows, columns = max(rows, row + 1), max(columns, column + 1)
        kind = given.get("t")
        if kind == "e":
            errors.add(row, column, _value(xml, parser.CurrentByteIndex) or "error")
        elif kind == "s":
            shown[_text_index(xml, parser.CurrentByteIndex)] += 1

    _parse(xml, start, parser=parser)
    text_bytes = shown_bytes(texts.lengths(), shown) + texts.longest * shown[-1]
    return SheetScan(rows, columns, text_bytes, errors)


def _text_index(xml: bytes, at: int) -> int:
    value = _value(xml, at)
    return int(value[:9]) if value.isdecimal() else -1


def _value(xml: bytes, at: int) -> str:
    """The value of the cell that starts at a byte, "" if it is none or far behind."""
    value = _VALUE.search(xml, at, at + _LONGEST_CELL)
    return value[1].strip().decode("utf-8", "replace") if value is not None else ""


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
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        parser.Parse(xml, True)
    except (expat.ExpatError, LookupError) as error:
        raise damaged_workbook_error() from error


def _refuse_doctype(*_declaration: object) -> None:
    # No workbook has one, and entities declared in one could expand without end.
    raise damaged_workbook_error()
