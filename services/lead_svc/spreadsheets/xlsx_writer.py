"""Write .xlsx files of any size in constant memory: a ZIP archive whose sheets are written row by row (decision 11).

The parts are those that ECMA-376 requires of the smallest workbook. Texts are in their cells (``inlineStr``), so that
no table of shared texts has to be retained until the end.
"""

from typing import BinaryIO, Final
from zipfile import ZIP_DEFLATED, ZipFile

from services.lead_svc.spreadsheets.xlsx_rows import RowEncoder

MAX_ROWS: Final = 1_048_576
"""Most rows of a sheet, its header included."""
_MAX_BYTES: Final = 2_000_000_000
"""Most bytes of a sheet's XML: beyond 2 GiB a member of an archive needs ZIP64, which not every reader supports."""
_ROWS_PER_STEP: Final = 100
"""Rows that are encoded at once: their XML is several times as long, and encoding makes several copies of it."""
_COMPRESSION_LEVEL: Final = 1
"""The XML is so repetitive that a higher level would cost time and save little."""

_DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_DOCUMENT: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_KIND: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"

# The header is bold and frozen.
_STYLES: Final = (
    f'<styleSheet xmlns="{_MAIN}"><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>'
    '</fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="2"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)
_SHEET_START: Final = (
    f'<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
    '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><sheetData>'
)
_SHEET_END: Final = b"</sheetData></worksheet>"


class XlsxWriter:
    """Writes a workbook, which is complete when it is closed.

    Parameters
    ----------
    file
        The file to write to, at its beginning. It stays open.
    name
        The name of the first sheet; the names of the others are numbered.
    header
        The first row of every sheet: names without characters that XML escapes.
    rows
        Encodes the rows below the header.
    """

    def __init__(self, file: BinaryIO, name: str, header: tuple[str, ...], rows: RowEncoder) -> None:
        self._archive = ZipFile(file, "w", ZIP_DEFLATED, compresslevel=_COMPRESSION_LEVEL)
        self._name = name
        cells = "".join(f'<c s="1" t="inlineStr"><is><t>{cell}</t></is></c>' for cell in header)
        self._start = f"{_DECLARATION}{_SHEET_START}<row>{cells}</row>".encode()
        self._rows = rows
        self._sheets = 0
        self._row_count = 0
        self._byte_count = 0
        self._begin_sheet()

    def add(self, lines: list[bytes]) -> None:
        """Add rows in the form that `RowEncoder.encode` takes.

        Raises
        ------
        CellTooLongError
            If a text is too long for a cell; with its row in the sheet.
        """
        while lines:
            if self._row_count == MAX_ROWS or self._byte_count > _MAX_BYTES:
                self._end_sheet()
                self._begin_sheet()
            count = min(_ROWS_PER_STEP, MAX_ROWS - self._row_count)
            step, lines = lines[:count], lines[count:]
            self._write(self._rows.encode(step, self._row_count + 1))
            self._row_count += len(step)

    def close(self) -> None:
        """Complete the file."""
        self._end_sheet()
        self._write_parts()
        self._archive.close()

    def _begin_sheet(self) -> None:
        self._sheets += 1
        self._sheet = self._archive.open(f"xl/worksheets/sheet{self._sheets}.xml", "w")
        self._byte_count = 0
        self._write(self._start)
        self._row_count = 1

    def _write(self, xml: bytes) -> None:
        self._sheet.write(xml)
        self._byte_count += len(xml)

    def _end_sheet(self) -> None:
        self._sheet.write(_SHEET_END)
        self._sheet.close()

    def _write_parts(self) -> None:
        numbers = range(1, self._sheets + 1)
        sheets = "".join(f'<sheet name="{self._sheet_name(n)}" sheetId="{n}" r:id="rId{n}"/>' for n in numbers)
        relations = [(f"rId{n}", "worksheet", f"worksheets/sheet{n}.xml") for n in numbers]
        kinds = {"/xl/workbook.xml": f"{_KIND}.sheet.main+xml", "/xl/styles.xml": f"{_KIND}.styles+xml"}
        kinds |= {f"/xl/worksheets/sheet{n}.xml": f"{_KIND}.worksheet+xml" for n in numbers}
        parts = {
            "xl/styles.xml": _STYLES,
            "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_DOCUMENT}"><bookViews><workbookView/></bookViews>'
            f"<sheets>{sheets}</sheets></workbook>",
            "xl/_rels/workbook.xml.rels": _relationships([*relations, ("rId0", "styles", "styles.xml")]),
            "_rels/.rels": _relationships([("rId1", "officeDocument", "xl/workbook.xml")]),
            "[Content_Types].xml": _content_types(kinds),
        }
        for name, xml in parts.items():
            with self._archive.open(name, "w") as part:
                part.write((_DECLARATION + xml).encode())

    def _sheet_name(self, number: int) -> str:
        return self._name if number == 1 else f"{self._name} {number}"


def _relationships(relations: list[tuple[str, str, str]]) -> str:
    entries = "".join(
        f'<Relationship Id="{key}" Type="{_DOCUMENT}/{kind}" Target="{target}"/>' for key, kind, target in relations
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{entries}</Relationships>'


def _content_types(kinds: dict[str, str]) -> str:
    overrides = "".join(f'<Override PartName="{part}" ContentType="{kind}"/>' for part, kind in kinds.items())
    return (
        f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{overrides}</Types>'
    )
