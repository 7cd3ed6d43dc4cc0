"""Files into sheets."""

from services.lead_svc.imports.csv_reading import read_csv
from services.lead_svc.imports.excel_reading import read_excel
from services.lead_svc.imports.formats import FileKind
from services.lead_svc.imports.sheet import Sheet


def read(content: bytes, kind: FileKind) -> Sheet:
    """The table in a file.

    Raises
    ------
    ImportRejected
        If the file is damaged, unsafe to open, too wide, or no text that can be stored.
    """
    return read_csv(content) if kind is FileKind.CSV else read_excel(content, kind)
