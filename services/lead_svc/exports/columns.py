"""The columns of an export: every field that an import can set, by the names that it knows them by."""

from typing import Final

from services.lead_svc.domain.fields import FIELDS, Field, Kind

COLUMNS: Final = tuple(spec for spec in FIELDS if spec.importable)
"""In the order of the file."""

_MOST_EXACT: Final = 10**15
"""Excel keeps fifteen digits of a number."""


def is_number(column: Field) -> bool:
    """Whether the column's values are numbers to a spreadsheet; an id that it would round is a text."""
    return column.kind in {Kind.INTEGER, Kind.MONEY} and column.maximum < _MOST_EXACT
