"""File formats of an export, and the columns of its files."""

from enum import StrEnum
from typing import Final

from services.lead_svc.domain.fields import FIELDS, Field, Kind


class ExportFormat(StrEnum):
    """File format of an export."""

    CSV = "csv"
    XLSX = "xlsx"


MEDIA_TYPES: Final = {
    ExportFormat.CSV: "text/csv; charset=utf-8",
    ExportFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

COLUMNS: Final = tuple(spec for spec in FIELDS if spec.importable)
"""The columns of an export in the order of the file: every field that an import can set, by the same names."""

_EXACT_LIMIT: Final = 10**15
"""Excel stores fifteen digits of a number."""


def is_number(column: Field) -> bool:
    """Whether the values of a column are numbers in a spreadsheet; an id that Excel would round is a text."""
    return column.kind in {Kind.INTEGER, Kind.MONEY} and column.maximum < _EXACT_LIMIT
