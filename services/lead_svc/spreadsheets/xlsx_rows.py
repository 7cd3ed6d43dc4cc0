"""Rows as COPY writes them in its text format, into rows as a sheet of an .xlsx has them."""

import re
from collections.abc import Sequence
from typing import Final

MAX_CELL_CHARACTERS: Final = 32_767
"""Of a cell, as UTF-16 counts them: Excel repairs a file with more by cutting them off."""

_TEXT: Final = b'<c t="inlineStr"><is><t xml:space="preserve">%b</t></is></c>'
_NUMBER: Final = b"<c><v>%b</v></c>"
_NOTHING: Final = b"<c/>"

# XML cannot hold most control characters. Excel writes them, and a text that looks so already, as _x and the number.
_LOOKS_ESCAPED: Final = re.compile(rb"_(?=x[0-9A-Fa-f]{4}_)")
_SPECIAL: Final = re.compile(rb"\\(.)|([\x01-\x08\x0e-\x1e])|(\xef\xbf[\xbe\xbf])", re.DOTALL)
_BACKSLASHED: Final = {b"b": "\b", b"f": "\f", b"n": "\n", b"r": "\r", b"t": "\t", b"v": "\v"}
_IN_XML: Final = {"\n": b"&#10;", "\t": b"&#9;", "\\": b"\\"}


class CellTooLongError(ValueError):
    """A text has more characters than a cell can hold."""

    def __init__(self, row: int, column: int) -> None:
        super().__init__(f"row {row}, column {column}")
        self.row = row
        self.column = column


class RowEncoder:
    """Makes the rows of one sheet.

    Parameters
    ----------
    numbers
        Of each column, whether its cells are numbers; all others are texts.
    separator
        The delimiter of the COPY, a byte that is no letter or digit.
    """

    def __init__(self, numbers: Sequence[bool], separator: bytes) -> None:
        self._row = b"<row>" + b"".join(_NUMBER if number else _TEXT for number in numbers) + b"</row>"
        self._separator = separator

    def encode(self, lines: Sequence[bytes], first_row: int) -> bytes:
        """The rows as XML.

        Parameters
        ----------
        lines
            Rows as COPY wrote them, without their line ends; null is an empty cell.
        first_row
            Number of the first of them, for an error to name.

        Raises
        ------
        CellTooLongError
            Naming row and column, both counted from 1.
        """
        if max(map(len, lines)) > MAX_CELL_CHARACTERS:
            self._require_short_cells(lines, first_row)
        text = b"\n".join(lines).replace(b"&", b"&amp;").replace(b"<", b"&lt;").replace(b">", b"&gt;")
        if b"_x" in text:
            text = _LOOKS_ESCAPED.sub(b"_x005F_", text)
        text = _SPECIAL.sub(_in_xml, text)
        rows = b"".join([self._row % tuple(line.split(self._separator)) for line in text.split(b"\n")])
        return rows.replace(_TEXT % b"", _NOTHING).replace(_NUMBER % b"", _NOTHING)

    def _require_short_cells(self, lines: Sequence[bytes], first_row: int) -> None:
        for row, line in enumerate(lines, start=first_row):
            if len(line) <= MAX_CELL_CHARACTERS:
                continue
            escaped = _SPECIAL.sub(lambda found: b"?" if found[1] else found[0], line)
            for column, cell in enumerate(escaped.split(self._separator), start=1):
                if len(cell.decode().encode("utf-16-le")) // 2 > MAX_CELL_CHARACTERS:
                    raise CellTooLongError(row, column)


def _in_xml(found: re.Match[bytes]) -> bytes:
    character = _BACKSLASHED.get(found[1], found[1].decode()) if found[1] else found[0].decode()
    return _IN_XML.get(character) or b"_x%04X_" % ord(character)
