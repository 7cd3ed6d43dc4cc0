"""Read a file of any accepted kind into a sheet."""

from dataclasses import replace

from services.lead_svc.spreadsheets.csv_reader import read_csv
from services.lead_svc.spreadsheets.excel_reader import read_excel
from services.lead_svc.spreadsheets.file_kind import FileKind
from services.lead_svc.spreadsheets.formula_escaping import unescape
from services.lead_svc.spreadsheets.formula_unescaping import unescape_cells
from services.lead_svc.spreadsheets.json_reader import read_json
from services.lead_svc.spreadsheets.sheet import Sheet


def read_sheet(content: bytes, kind: FileKind) -> Sheet:
    """Read the sheet of a file, with escaped formulas unescaped.

    Raises
    ------
    FileRejectedError
        If the file is damaged, unsafe to open or too wide, or is not text that can be stored.
    """
    match kind:
        case FileKind.CSV:
            return _unescaped(read_csv(content))
        case FileKind.JSON:
            return read_json(content)
        case _:
            return _unescaped(read_excel(content, kind))


def _unescaped(sheet: Sheet) -> Sheet:
    return replace(sheet, headers=tuple(map(unescape, sheet.headers)), cells=unescape_cells(sheet.cells))
