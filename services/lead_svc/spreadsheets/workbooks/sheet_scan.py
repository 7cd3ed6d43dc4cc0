"""The result of scanning one sheet: how far its cells reach, how many bytes of text they show, and its error values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from services.lead_svc.spreadsheets.row_errors import FileRejectedError
from services.lead_svc.spreadsheets.sheet import MAX_CELLS

MAX_TEXT_BYTES: Final = 100 * 1024 * 1024
MAX_ERROR_VALUES: Final = 1_000

ERROR_TEXTS: Final[Mapping[int, str]] = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
    0x2B: "#GETTING_DATA",
}
"""The error values of binary workbooks by their numbers (`BErr` in MS-XLS and MS-XLSB)."""


class ErrorValue(NamedTuple):
    """A cell with an error value, such as #N/A. Row and column count from 0."""

    row: int
    column: int
    text: str


class ErrorValues:
    """Collects the error values of a sheet: the first `MAX_ERROR_VALUES`, and the number of those beyond them."""

    def __init__(self) -> None:
        self.first: list[ErrorValue] = []
        self.unlisted_count = 0

    def add(self, row: int, column: int, text: str) -> None:
        """Add an error value."""
        if len(self.first) < MAX_ERROR_VALUES:
            self.first.append(ErrorValue(row, column, text))
        else:
            self.unlisted_count += 1


@dataclass(frozen=True, slots=True)
class SheetScan:
    """One sheet of a workbook.

    `rows` and `columns` reach from the top left corner to the farthest cells; `text_bytes` is the size of the shared
    texts when every cell has its own copy.
    """

    rows: int
    columns: int
    text_bytes: int
    error_values: ErrorValues
    visible: bool = True


def too_many_cells_error() -> FileRejectedError:
    """Return the rejection of a sheet with more than `MAX_CELLS` cells."""
    return FileRejectedError.because(
        "sheet_too_large", f"The Excel file is too large: a sheet may have at most {MAX_CELLS:,} cells"
    )


def referenced_bytes(lengths: Sequence[int], references: Mapping[int, int]) -> int:
    """Return the total bytes of shared texts, by the length of each text and the number of cells that refer to it."""
    return sum(lengths[index] * count for index, count in references.items() if index < len(lengths))
