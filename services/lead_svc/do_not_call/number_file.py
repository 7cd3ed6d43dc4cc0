"""Files of phone numbers: the column with a header for phone numbers, or the only column."""

from services.lead_svc.domain.fields import FIELD_BY_NAME
from services.lead_svc.domain.phone import InvalidPhoneError, normalize
from services.lead_svc.spreadsheets.error_collector import RowErrorCollector
from services.lead_svc.spreadsheets.file_kind import identify_file_kind
from services.lead_svc.spreadsheets.header import field_for_header
from services.lead_svc.spreadsheets.reader import read_sheet
from services.lead_svc.spreadsheets.row_errors import PHONE_MISSING, FileRejectedError
from services.lead_svc.spreadsheets.sheet import Sheet
from services.lead_svc.spreadsheets.table import trim_sheet
from services.lead_svc.values.from_columns import convert_columns


def read_numbers(filename: str, content: bytes) -> list[str]:
    """Return the distinct numbers of a CSV or Excel file in E.164, in the order of the file.

    Raises
    ------
    FileRejectedError
        If the file cannot be read, has no column of numbers, has no numbers, or has a row without a valid number; the
        error has every such row.
    """
    sheet = read_sheet(content, identify_file_kind(filename, content))
    position = _column(sheet)
    table = trim_sheet(sheet, required_column=position)
    texts = table.cells[str(position)]
    converted = convert_columns(table.cells.select(str(position)), {"phone": position})["phone"]
    collector = RowErrorCollector(table.rows)
    spec = FIELD_BY_NAME["phone"]
    if texts.has_nulls():
        collector.add_cells(position, "phone", texts.is_null(), texts, "missing", lambda _: PHONE_MISSING)
    if converted.invalid is not None:
        collector.add_cells(position, "phone", converted.invalid, texts, spec.error_code, spec.error_message)
    collector.raise_if_any()
    numbers: list[str] = converted.values.drop_nulls().unique(maintain_order=True).to_list()
    if not numbers:
        raise FileRejectedError.because("no_numbers", "No phone numbers found in the file")
    return numbers


def _column(sheet: Sheet) -> int:
    named = [position for position, header in enumerate(sheet.headers) if field_for_header(header) == "phone"]
    if len(named) == 1:
        return named[0]
    if not named and len(sheet.headers) == 1:
        _require_header(sheet.headers[0])
        return 0
    raise FileRejectedError.because("missing", "The file must have one column headed phone")


def _require_header(header: str) -> None:
    """Reject a first row that is a number: as a header, it would be skipped silently."""
    try:
        normalize(header)
    except InvalidPhoneError:
        return
    raise FileRejectedError.because("missing", f"The first row must be a header, such as phone, not {header}")
