"""Files into sheets."""

from dataclasses import replace

from services.lead_svc.spreadsheets.csv_reader import read_csv
from services.lead_svc.spreadsheets.excel_reader import read_excel
from services.lead_svc.spreadsheets.file_kind import FileKind
from services.lead_svc.spreadsheets.formula_escaping import restored_text
from services.lead_svc.spreadsheets.formula_unescaping import restored
from services.lead_svc.spreadsheets.json_reader import read_json
from services.lead_svc.spreadsheets.sheet import Sheet


def read(content: bytes, kind: FileKind) -> Sheet:
    """The table in a file.

    Raises
    ------
    ImportRejected
        If the file is damaged, unsafe to open, too wide, or no text that can be stored.
    """
    match kind:
        case FileKind.CSV:
            return _as_exported(read_csv(content))
        case FileKind.JSON:
            return read_json(content)
        case _:
            return _as_exported(read_excel(content, kind))


def _as_exported(sheet: Sheet) -> Sheet:
    """The sheet with its texts as they were before they were defused."""
    return replace(sheet, headers=tuple(map(restored_text, sheet.headers)), cells=restored(sheet.cells))
