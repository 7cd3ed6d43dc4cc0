"""Escape texts that a spreadsheet would run as formulas: the rule as SQL and for single texts.

An apostrophe in front makes such a text a text. A text that already has apostrophes in front of a formula gets one
more, and an import removes exactly one, so an export and an import give back the same text. Loaded by lead-api, so
without polars; `formula_unescaping` has the rule for columns.
"""

import re
from typing import Final

_STARTS: Final = r"[=+@\t\r-]"
"""What a formula begins with."""
_FORMULA_PATTERN: Final = f"^'*{_STARTS}"
ESCAPED_PATTERN: Final = f"^'+{_STARTS}"
"""The texts from which an import removes an apostrophe; PostgreSQL, Python and polars match alike."""
_FORMULA: Final = re.compile(_FORMULA_PATTERN)
_ESCAPED: Final = re.compile(ESCAPED_PATTERN)
_PHONE_NUMBER_PATTERN: Final = r"\+[0-9]+"
_PHONE_NUMBER: Final = re.compile(_PHONE_NUMBER_PATTERN)


def escape_sql(column: str) -> str:
    """Return SQL for the text of a column in a CSV file; null where it is empty."""
    return _with_apostrophe(column, _FORMULA_PATTERN)


def escape_text_cell_sql(column: str) -> str:
    """Return SQL for the text of a column in a cell of type text of a workbook; null where it is empty.

    A spreadsheet never runs such a cell as a formula. Only a text that an import would unescape gets an apostrophe.
    """
    return _with_apostrophe(column, ESCAPED_PATTERN)


def is_phone_number_sql(column: str) -> str:
    """Return SQL for whether the text of a column is a plus sign and digits alone, which is not a formula."""
    return f"{column} ~ '^{_PHONE_NUMBER_PATTERN}$'"


def escape(text: str) -> str:
    """Escape a text for a CSV file; a plus sign and digits alone stay as they are."""
    return f"'{text}" if _FORMULA.match(text) and not _PHONE_NUMBER.fullmatch(text) else text


def escape_text_cell(text: str) -> str:
    """Escape a text for a cell of type text in a workbook, if an import would unescape the text."""
    return f"'{text}" if _ESCAPED.match(text) else text


def unescape(text: str) -> str:
    """Remove the apostrophe of an export from a text."""
    return text[1:] if _ESCAPED.match(text) else text


def _with_apostrophe(column: str, pattern: str) -> str:
    # Nearly every text begins with a letter (past "@") or a digit: comparing numbers costs a fifth of an expression.
    literal = pattern.replace("'", "''")
    return (
        f"CASE WHEN ascii({column}) > {ord('@')} THEN {column} "
        f"WHEN ascii({column}) BETWEEN {ord('0')} AND {ord('9')} THEN {column} "
        f"WHEN {column} ~ '{literal}' THEN '''' || {column} ELSE nullif({column}, '') END"
    )
