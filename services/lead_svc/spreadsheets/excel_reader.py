"""Read the first visible sheet of an Excel workbook (.xlsx, .xlsb, .xls) as texts, with fastexcel."""

from collections.abc import Iterator, Sequence

import fastexcel
import polars as pl

from services.lead_svc.spreadsheets.file_kind import FileKind
from services.lead_svc.spreadsheets.header import MAX_COLUMNS, column_letters, too_many_columns_error
from services.lead_svc.spreadsheets.row_errors import FileRejectedError
from services.lead_svc.spreadsheets.sheet import CellError, Sheet
from services.lead_svc.spreadsheets.workbooks.archive import damaged_workbook_error
from services.lead_svc.spreadsheets.workbooks.inspection import SafeWorkbook, inspect_workbook
from services.lead_svc.spreadsheets.workbooks.sheet_scan import ErrorValue

# Dates and times as fastexcel writes them: a time without a date has the day on which its calendar begins.
_DATETIME = r"^([0-9]{4}-[0-9]{2}-[0-9]{2})[ T]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.[0-9]+)?$"
_TIME_OF_DAY = r"^(?:1899-12-3[01]|1904-01-01)T"
_MIDNIGHT = "T00:00:00"


def read_excel(content: bytes, kind: FileKind) -> Sheet:
    """Read the first visible sheet of a workbook; its header is the first row that is not blank.

    A formula cell has the value that was saved with it; a cell with an error value is an error of the sheet. Numbers
    come without useless zeros, dates as "YYYY-MM-DD", with "THH:MM:SS" where they have a time, times as "HH:MM:SS".
    Charts and sheets without any cell are skipped.

    Raises
    ------
    FileRejectedError
        If the file is damaged, protected, too wide or unsafe to open.
    """
    workbook = inspect_workbook(content, kind)
    index, rows = _load(workbook)
    if rows.width > MAX_COLUMNS:
        raise too_many_columns_error()
    header = _first_filled_row(rows)
    if header is None:
        return Sheet((), pl.DataFrame())
    if rows.select(pl.any_horizontal(pl.all().str.contains("\0", literal=True).any())).item():
        raise FileRejectedError.because("nul_character", "The file contains NUL characters")
    error_values = workbook.sheets[index].error_values
    return Sheet(
        headers=tuple(cell or "" for cell in rows.row(header)),
        cells=_with_shortened_datetimes(rows.slice(header + 1)),
        first_row=header + 2,
        errors=tuple(_cell_errors(error_values.first, header)),
        unlisted_error_count=error_values.unlisted_count,
    )


def _load(workbook: SafeWorkbook) -> tuple[int, pl.DataFrame]:
    """Return the index of the first visible sheet that has cells, and its rows; 0 and no rows if no sheet has."""
    try:
        return _first_visible_sheet(workbook)
    except fastexcel.FastExcelError as error:
        raise damaged_workbook_error() from error
    except BaseException as error:
        # A panic of the reader's Rust code on a damaged file; each such library has its own class for panics.
        if type(error).__name__ == "PanicException":
            raise damaged_workbook_error() from error
        raise


def _first_visible_sheet(workbook: SafeWorkbook) -> tuple[int, pl.DataFrame]:
    reader = fastexcel.read_excel(workbook.content)
    for index in (index for index, sheet in enumerate(workbook.sheets) if sheet.visible):
        # Without skip_rows=0 the blank rows above the first filled one would be missing, and every row number wrong.
        sheet = reader.load_sheet(index, header_row=None, skip_rows=0, dtypes="string")
        if sheet.width:
            frame = sheet.to_polars()
            return index, frame.rename({name: str(position) for position, name in enumerate(frame.columns)})
    return 0, pl.DataFrame()


def _first_filled_row(rows: pl.DataFrame) -> int | None:
    if rows.is_empty():
        return None
    filled = rows.select(pl.any_horizontal(pl.all().str.strip_chars() != "")).to_series()
    return filled.arg_max() if filled.any() else None


def _with_shortened_datetimes(rows: pl.DataFrame) -> pl.DataFrame:
    if rows.is_empty():
        return rows
    has_datetimes = rows.select(pl.all().str.contains(_DATETIME).any()).row(0)
    return rows.with_columns(
        _shortened_datetimes(pl.col(str(position))) for position, found in enumerate(has_datetimes) if found
    )


def _shortened_datetimes(text: pl.Expr) -> pl.Expr:
    date_and_time = text.str.replace(_DATETIME, "${1}T$2")
    return (
        pl.when(~text.str.contains(_DATETIME))
        .then(text)
        .when(date_and_time.str.contains(_TIME_OF_DAY))
        .then(date_and_time.str.slice(len("1899-12-31T")))
        .otherwise(date_and_time.str.strip_suffix(_MIDNIGHT))
    )


def _cell_errors(error_values: Sequence[ErrorValue], header: int) -> Iterator[CellError]:
    for row, column, text in error_values:
        if row >= header:
            cell = f"{column_letters(column)}{row + 1}"
            yield CellError(row + 1, column, text, "error_cell", f"Cell {cell} contains the error {text}")
