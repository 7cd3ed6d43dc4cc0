"""Texts that a spreadsheet would take for formulas.

An apostrophe in front makes such a text a text. So that nothing is lost, a text that has apostrophes in front of a
formula of its own accord gets one more, and an import takes exactly one away.
"""

import re
from typing import Final

_STARTS: Final = r"[=+@\t\r-]"
"""What a formula begins with."""
_FORMULA: Final = f"^'*{_STARTS}"
MARKED: Final = f"^'+{_STARTS}"
"""What an import takes an apostrophe away from; understood alike by PostgreSQL and by polars."""
_FORMULA_TEXT: Final = re.compile(_FORMULA)
_MARKED_TEXT: Final = re.compile(MARKED)
_PHONE_NUMBER: Final = r"\+[0-9]+"
_PHONE_NUMBER_TEXT: Final = re.compile(_PHONE_NUMBER)


def defused(column: str) -> str:
    """SQL: the text of a column as a CSV file may hold it; null where it is empty."""
    return _with_apostrophe(column, _FORMULA)


def defused_in_cell(column: str) -> str:
    """SQL: the text of a column as a cell that is known to hold a text may; null where it is empty.

    No spreadsheet takes such a cell for a formula. Only what an import would take for a mark needs one more.
    """
    return _with_apostrophe(column, MARKED)


def is_phone_number(column: str) -> str:
    """SQL: whether the text of a column is a plus sign and digits alone, which no formula is made of."""
    return f"{column} ~ '^{_PHONE_NUMBER}$'"


def defused_text(text: str) -> str:
    """A text as a CSV file may hold it; a plus sign and digits alone stay what they are."""
    return f"'{text}" if _FORMULA_TEXT.match(text) and not _PHONE_NUMBER_TEXT.fullmatch(text) else text


def defused_text_in_cell(text: str) -> str:
    """A text as a cell that is known to hold a text may: one that an import would take for marked gets one more."""
    return f"'{text}" if _MARKED_TEXT.match(text) else text


def restored_text(text: str) -> str:
    """A text of a file without the apostrophe that was put in front."""
    return text[1:] if _MARKED_TEXT.match(text) else text


def _with_apostrophe(column: str, pattern: str) -> str:
    # Nearly every text begins with a letter (past "@") or a digit: comparing numbers costs a fifth of an expression.
    literal = pattern.replace("'", "''")
    return (
        f"CASE WHEN ascii({column}) > {ord('@')} THEN {column} "
        f"WHEN ascii({column}) BETWEEN {ord('0')} AND {ord('9')} THEN {column} "
        f"WHEN {column} ~ '{literal}' THEN '''' || {column} ELSE nullif({column}, '') END"
    )
