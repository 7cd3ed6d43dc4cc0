"""Kinds of values that requests carry."""

import re
from datetime import date
from typing import Annotated

from fastapi import Path
from pydantic import AfterValidator, BeforeValidator, StrictBool

LARGEST_ID = 2**63 - 1
"""Ids are PostgreSQL bigints; a larger number is nobody's id."""

IdInPath = Annotated[int, Path(alias="id", ge=1, le=LARGEST_ID, description="Its id.", examples=[1])]
"""``{id}`` of the path."""


def _storable(value: str) -> str:
    if "\x00" in value:
        raise ValueError("must not hold a NUL character")
    return value


Storable = AfterValidator(_storable)
"""Text that PostgreSQL can hold: anything without a NUL."""


def _true_or_false(value: object) -> object:
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


TrueOrFalse = Annotated[StrictBool, BeforeValidator(_true_or_false)]
"""A yes or no of the query: ``true`` or ``false``, and nothing else that could be taken for one."""


_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def _day(value: str) -> date:
    # pydantic would also take a Unix time, and Python the other forms of ISO 8601.
    if not _DAY.fullmatch(value):
        raise ValueError("must be a date written YYYY-MM-DD")
    return date.fromisoformat(value)


Day = Annotated[date, BeforeValidator(_day)]
"""A day of the query, ``YYYY-MM-DD``."""
