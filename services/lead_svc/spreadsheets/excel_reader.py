"""The first visible sheet of an Excel workbook, old or new, as texts."""

from collections.abc import Iterator, Sequence

import fastexcel
import polars as pl

from services.lead_svc.spreadsheets.file_kind import FileKind
from services.lead_svc.spreadsheets.header import MAX_COLUMNS, column_letters, too_many_columns_error
from services.lead_svc.spreadsheets.row_errors import FileRejectedError
from services.lead_svc.spreadsheets.sheet import CellError, Sheet
from services.lead_svc.spreadsheets.workbooks.archive import damaged_workbook_error
from services.lead_svc.spreadsheets.workbooks.inspection import scan_workbook
from services.lead_svc.spreadsheets.workbooks.sheet_scan import ErrorValue, SheetScan

# Dates and times as the reader writes them: a time without a date has the day on which its calendar begins.
_MOMENT = r"^([0-9]{4}-[0-9]{2}-[0-9]{2})[ T]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.[0-9]+)?$"
_TIME_OF_DAY = r"^(?:1899-12-3[01]|1904-01-01)T"
_MIDNIGHT = "T00:00:00"


def read_excel(content: bytes, kind: FileKind) -> Sheet:
    """The table in the first visible sheet of a workbook; its header is the first row that holds something.

    Formula cells count as the value that was saved with them; a cell with an error is a fault of the sheet. Numbers
    come without useless zeros, dates as "YYYY-MM-DD", with "THH:MM:SS" where they have a time, times as "HH:MM:SS".
    A chart, or a sheet without any cell, does not count as one.

    Raises
    ------
    FileRejectedError
        If the file is damaged, protected, too wide or unsafe to open.
    """
    sheets = scan_workbook(content, kind)
    index, rows = _loaded(content, sheets)
    if rows.width > MAX_COLUMNS:
        raise too_many_columns_error()
    header = _first_filled_row(rows)
    if header is None:
        return Sheet((), pl.DataFrame())
    if rows.select(pl.any_horizontal(pl.all().str.contains("\0", literal=True).any())).item():
        raise FileRejectedError.because("nul_character", "The file contains NUL characters")
    return Sheet(
        headers=tuple(cell or "" for cell in rows.row(header)),
        cells=_with_plain_dates(rows.slice(header + 1)),
        first_row=header + 2,
        unlisted_error_count=sheets[index].errors.more,
        errors=tuple(_cell_errors(sheets[index].errors.first, header)),
    )


def _loaded(content: bytes, sheets: Sequence[SheetScan]) -> tuple[int, pl.DataFrame]:
    try:
        return _first_visible_sheet(content, sheets)
    except fastexcel.FastExcelError as error:
        raise damaged_workbook_error() from error
    except BaseException as error:
        # What the reader's Rust did not expect of a damaged file; each such library has a class of its own for it.
        if type(error).__name__ == "PanicException":
            raise damaged_workbook_error() from error
        raise


def _first_visible_sheet(content: bytes, sheets: Sequence[SheetScan]) -> tuple[int, pl.DataFrame]:
    workbook = fastexcel.read_excel(content)
    for index in (index for index, sheet in enumerate(sheets) if sheet.visible):
        # Without skip_rows=0 the blank rows above the first filled one would be missing, and every row number wrong.
        sheet = workbook.load_sheet(index, header_row=None, skip_rows=0, dtypes="string")
        if sheet.width:
            frame = sheet.to_polars()
            return index, frame.rename({name: str(at) for at, name in enumerate(frame.columns)})
    return 0, pl.DataFrame()


def _first_filled_row(rows: pl.DataFrame) -> int | None:
    if rows.is_empty():
        return None
    filled = rows.select(pl.any_horizontal(pl.all().str.strip_chars() != "")).to_series()
    return filled.arg_max() if filled.any() else None


def _with_plain_dates(rows: pl.DataFrame) -> pl.DataFrame:
    if rows.is_empty():
        return rows
    with_moments = rows.select(pl.all().str.contains(_MOMENT).any()).row(0)
    return rows.with_columns(_plain_dates(pl.col(str(at))) for at, found in enumerate(with_moments) if found)


def _plain_dates(text: pl.Expr) -> pl.Expr:
    moment = text.str.replace(_MOMENT, "${1}T$2")
    return (
        pl.when(~text.str.contains(_MOMENT))
        .then(text)
        .when(moment.str.contains(_TIME_OF_DAY))
        .then(moment.str.slice(len("1899-12-31T")))
        .otherwise(moment.str.strip_suffix(_MIDNIGHT))
    )


def _cell_errors(errors: Sequence[ErrorValue], header: int) -> Iterator[CellError]:
    for row, column, text in errors:
        if row >= header:
            where = f"{column_letters(column)}{row + 1}"
            yield CellError(row + 1, column, text, "error_cell", f"Cell {where} holds the error {text}")
