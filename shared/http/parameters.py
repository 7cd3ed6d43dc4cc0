"""Types of parameters in path and query."""

import re
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Final

from fastapi import Path
from pydantic import BeforeValidator, StrictBool, WithJsonSchema

from shared.http.errors import BadRequest, FieldError, display_value, invalid_request
from shared.ids import MAX_ID
from shared.schema import StrictIntText

IdInPath = Annotated[int, Path(alias="id", ge=1, le=MAX_ID, description="Its id.", examples=[1]), StrictIntText]
"""``{id}`` of the path."""


def _true_or_false(value: object) -> object:
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


StrictBoolText = Annotated[StrictBool, BeforeValidator(_true_or_false)]
"""A boolean of the query: ``true`` or ``false``, in no other spelling."""


_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def _day(value: str) -> date:
    # pydantic would also take a Unix time, and Python the other forms of ISO 8601.
    if not _DAY.fullmatch(value):
        raise ValueError("must be a date written YYYY-MM-DD")
    return date.fromisoformat(value)


Day = Annotated[date, BeforeValidator(_day)]
"""A day of the query, ``YYYY-MM-DD``."""


def end_before_start(end: date) -> BadRequest:
    """Return the error for a period that ends before it begins."""
    message = "must not be before start_date"
    return invalid_request(
        FieldError(field="end_date", value=end.isoformat(), code="before_start_date", message=message)
    )


_ID: Final = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)

IdListText = Annotated[
    list[str], WithJsonSchema({"type": "string", "pattern": "^[1-9][0-9]*(,[1-9][0-9]*)*$", "examples": ["1,2"]})
]
"""Ids of the query, separated by commas; several lists where the parameter is repeated."""


def invalid_campaign_ids(value: str) -> BadRequest:
    """Return the error for a text that is not a list of ids."""
    message = "must be ids of campaigns with commas between them"
    return invalid_request(
        FieldError(field="campaign_ids", value=display_value(value), code="invalid_ids", message=message)
    )


def campaign_ids(lists: Sequence[str]) -> tuple[int, ...]:
    """Return the ids of a ``campaign_ids`` parameter, each once, in order.

    Raises
    ------
    BadRequest
        If it contains anything else.
    """
    parts = [part.strip() for ids in lists for part in ids.split(",")]
    if not all(_ID.fullmatch(part) and int(part) <= MAX_ID for part in parts):
        raise invalid_campaign_ids(",".join(lists))
    return tuple(sorted({int(part) for part in parts}))
