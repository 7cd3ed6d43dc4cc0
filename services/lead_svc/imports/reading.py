"""Files into sheets."""

from dataclasses import replace

from services.lead_svc.exports.defusing import restored_text
from services.lead_svc.imports.csv_reading import read_csv
from services.lead_svc.imports.excel_reading import read_excel
from services.lead_svc.imports.formats import FileKind
from services.lead_svc.imports.json_leads import read_json
from services.lead_svc.imports.restoring import restored
from services.lead_svc.imports.sheet import Sheet


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
