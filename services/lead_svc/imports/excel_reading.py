"""The first visible sheet of an Excel workbook, old or new, as texts."""

import fastexcel
import polars as pl

from services.lead_svc.imports.errors import ImportRejected
from services.lead_svc.imports.sheet import Sheet

_TIME = r"^(?:1899-12-3[01]|1904-01-01) ([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.[0-9]+)?$"
_DATE = r"^([0-9]{4}-[0-9]{2}-[0-9]{2}) 00:00:00$"
_DATE_AND_TIME = r"^([0-9]{4}-[0-9]{2}-[0-9]{2}) ([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.[0-9]+)?$"


def read_excel(content: bytes) -> Sheet:
    """The table in the first visible sheet of a workbook; its header is the first row that holds something.

    Formula cells count as the value that was saved with them. Numbers come without a useless fraction, dates as
    "YYYY-MM-DD" with "THH:MM:SS" where they have a time, times as "HH:MM:SS".

    Raises
    ------
    ImportRejected
        If the file is damaged, protected, without a visible sheet or unsafe to open.
    """
    try:
        rows = _first_visible_sheet(content)
    except fastexcel.FastExcelError as error:
        raise ImportRejected.because(
            "unreadable_workbook", "The Excel file cannot be read; it may be damaged"
        ) from error
    header = _first_filled_row(rows)
    if header is None:
        return Sheet((), pl.DataFrame())
    headers = tuple(cell or "" for cell in rows.row(header))
    return Sheet(headers, rows.slice(header + 1).with_columns(_dates_and_times(pl.all())), header + 2)


def _first_visible_sheet(content: bytes) -> pl.DataFrame:
    workbook = fastexcel.read_excel(content)
    for index in range(len(workbook.sheet_names)):
        # Without skip_rows=0 the blank rows above the first filled one would be missing, and every row number wrong.
        sheet = workbook.load_sheet(index, header_row=None, skip_rows=0, dtypes="string")
        if sheet.visible == "visible":
            frame = sheet.to_polars() if sheet.width else pl.DataFrame()
            return frame.rename({name: str(at) for at, name in enumerate(frame.columns)})
    raise ImportRejected.because("no_visible_sheet", "The Excel file has no visible sheet")


def _first_filled_row(rows: pl.DataFrame) -> int | None:
    if rows.is_empty():
        return None
    filled = rows.select(pl.any_horizontal(pl.all().str.strip_chars() != "")).to_series()
    return filled.arg_max() if filled.any() else None


def _dates_and_times(text: pl.Expr) -> pl.Expr:
    return text.str.replace(_TIME, "$1").str.replace(_DATE, "$1").str.replace(_DATE_AND_TIME, "${1}T$2")
