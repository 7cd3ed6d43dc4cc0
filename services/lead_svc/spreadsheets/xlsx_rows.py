"""Encode rows of PostgreSQL's COPY (text format) as rows of an .xlsx sheet (ECMA-376 part 1, 18.3.1)."""

import re
from collections.abc import Sequence
from typing import Final

MAX_CELL_CHARACTERS: Final = 32_767
"""Most characters of a cell, counted as UTF-16 code units: Excel repairs a file with more by cutting them off."""

_TEXT: Final = b'<c t="inlineStr"><is><t xml:space="preserve">%b</t></is></c>'
_NUMBER: Final = b"<c><v>%b</v></c>"
_EMPTY: Final = b"<c/>"

# XML cannot contain most control characters. Excel writes them as _xHHHH_ (ECMA-376 part 1, 22.9.2.19), and escapes the
# underscore of a text that has this form already.
_LOOKS_ESCAPED: Final = re.compile(rb"_(?=x[0-9A-Fa-f]{4}_)")
_SPECIAL: Final = re.compile(rb"\\(.)|([\x01-\x08\x0e-\x1e])|(\xef\xbf[\xbe\xbf])", re.DOTALL)
_BACKSLASHED: Final = {b"b": "\b", b"f": "\f", b"n": "\n", b"r": "\r", b"t": "\t", b"v": "\v"}
_IN_XML: Final = {"\n": b"&#10;", "\t": b"&#9;", "\\": b"\\"}


class CellTooLongError(ValueError):
    """A text has more than `MAX_CELL_CHARACTERS` characters."""

    def __init__(self, row: int, column: int) -> None:
        super().__init__(f"row {row}, column {column}")
        self.row = row
        self.column = column


class RowEncoder:
    """Encodes the rows of a sheet.

    Parameters
    ----------
    numbers
        For each column, whether its cells are numbers; the cells of the other columns are texts.
    separator
        The delimiter of the COPY, a byte that is not a letter or digit.
    """

    def __init__(self, numbers: Sequence[bool], separator: bytes) -> None:
        self._row = b"<row>" + b"".join(_NUMBER if number else _TEXT for number in numbers) + b"</row>"
        self._separator = separator

    def encode(self, lines: Sequence[bytes], first_row: int) -> bytes:
        """Encode rows as XML.

        Parameters
        ----------
        lines
            Rows as COPY wrote them, without line ends; null is an empty cell.
        first_row
            The number of the first row, for errors.

        Raises
        ------
        CellTooLongError
            If a text is too long for a cell; with its row and column, which count from 1.
        """
        if max(map(len, lines)) > MAX_CELL_CHARACTERS:
            self._require_short_cells(lines, first_row)
        text = b"\n".join(lines).replace(b"&", b"&amp;").replace(b"<", b"&lt;").replace(b">", b"&gt;")
        if b"_x" in text:
            text = _LOOKS_ESCAPED.sub(b"_x005F_", text)
        text = _SPECIAL.sub(_in_xml, text)
        rows = b"".join([self._row % tuple(line.split(self._separator)) for line in text.split(b"\n")])
        return rows.replace(_TEXT % b"", _EMPTY).replace(_NUMBER % b"", _EMPTY)

    def _require_short_cells(self, lines: Sequence[bytes], first_row: int) -> None:
        for row, line in enumerate(lines, start=first_row):
            if len(line) <= MAX_CELL_CHARACTERS:
                continue
            escaped = _SPECIAL.sub(lambda match: b"?" if match[1] else match[0], line)
            for column, cell in enumerate(escaped.split(self._separator), start=1):
                if len(cell.decode().encode("utf-16-le")) // 2 > MAX_CELL_CHARACTERS:
                    raise CellTooLongError(row, column)


def _in_xml(match: re.Match[bytes]) -> bytes:
    character = _BACKSLASHED.get(match[1], match[1].decode()) if match[1] else match[0].decode()
    return _IN_XML.get(character) or b"_x%04X_" % ord(character)
