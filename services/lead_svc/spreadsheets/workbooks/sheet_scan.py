"""How far the cells of a sheet reach, how much text they show, and which of them hold an error."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from services.lead_svc.spreadsheets.row_errors import FileRejectedError

MAX_CELLS: Final = 3_000_000
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
"""The errors of binary workbooks by their numbers."""


class ErrorValue(NamedTuple):
    """A cell like #N/A. Row and column count from 0."""

    row: int
    column: int
    text: str


class ErrorValues:
    """Collects the error cells of a sheet: the first `MAX_ERROR_VALUES`, and how many there are beyond them."""

    def __init__(self) -> None:
        self.first: list[ErrorValue] = []
        self.more = 0

    def add(self, row: int, column: int, text: str) -> None:
        """One more."""
        if len(self.first) < MAX_ERROR_VALUES:
            self.first.append(ErrorValue(row, column, text))
        else:
            self.more += 1


@dataclass(frozen=True, slots=True)
class SheetScan:
    """One sheet of a workbook.

    `rows` and `columns` reach from the top left corner to the farthest cells; `text_bytes` is what the shared texts
    take when every cell has its own.
    """

    rows: int
    columns: int
    text_bytes: int
    errors: ErrorValues
    visible: bool = True


def too_many_cells_error() -> FileRejectedError:
    """The rejection of a sheet with more than `MAX_CELLS` cells."""
    return FileRejectedError.because(
        "sheet_too_large", f"The Excel file is too large: a sheet may have at most {MAX_CELLS:,} cells"
    )


def shown_bytes(lengths: Sequence[int], shown: Mapping[int, int]) -> int:
    """How many bytes cells show of texts of these lengths, when each is shown as often as `shown` says."""
    return sum(lengths[index] * times for index, times in shown.items() if index < len(lengths))
