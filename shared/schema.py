"""Schemas of request bodies, and the types of the values in them."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Final

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError, PydanticKnownError

from shared.datetimes import MAX_YEAR, MIN_YEAR
from shared.languages import is_language_tag
from shared.time_zones import time_zone_names


def _refuse_nul(value: str) -> str:
    if "\x00" in value:
        raise ValueError("must not contain a NUL character")
    return value


NoNulText = AfterValidator(_refuse_nul)
"""Text that PostgreSQL can store: anything without a NUL. In a `Schema` every text is such; this is for parameters, and
for texts in lists, whose errors then name the item."""


class Schema(BaseModel):
    """The base of request bodies: unknown fields are errors, and so is a NUL in any text.

    A body whose ``null_is_absent`` is true treats ``null`` as a field that was left out: it gets its default, or is an
    error where it is required.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    null_is_absent: ClassVar[bool] = False

    @model_validator(mode="before")
    @classmethod
    def _drop_nulls(cls, body: object) -> object:
        if not cls.null_is_absent or not isinstance(body, dict):
            return body
        return {name: value for name, value in body.items() if value is not None or name not in cls.model_fields}

    @field_validator("*")
    @classmethod
    def _refuse_nul_in_text(cls, value: Any, _info: ValidationInfo) -> Any:  # noqa: ANN401
        for text in value if isinstance(value, list) else (value,):
            if isinstance(text, str):
                _refuse_nul(text)
        return value


_WHOLE_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)", re.ASCII)


def _require_digits(value: object) -> object:
    # pydantic would also take 1_0, 1.0, +1 and 01: another number than was meant, or a second address of one resource.
    if isinstance(value, str) and not _WHOLE_NUMBER.fullmatch(value):
        raise PydanticKnownError("int_parsing")
    return value


StrictIntText = BeforeValidator(_require_digits)
"""A number of path or query, written in digits and nothing else."""


def _require_number(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise PydanticCustomError("amount", "Must be a number")
    return value


JsonNumber = BeforeValidator(_require_number)
"""A decimal that a body must write as a JSON number: neither a text nor a boolean."""

Money = Annotated[Decimal, PlainSerializer(float, return_type=float, when_used="json")]
"""An amount of money: an exact decimal here, a number in JSON."""


def _require_writable_year(moment: datetime) -> datetime:
    if not MIN_YEAR <= moment.year <= MAX_YEAR:
        raise ValueError(f"must be a time of the years {MIN_YEAR} to {MAX_YEAR}")
    return moment.astimezone(UTC)


UtcDatetime = Annotated[AwareDatetime, AfterValidator(_require_writable_year)]
"""A time with its offset, of years that any time zone can write; converted to UTC."""


def require_time_zone(name: str) -> str:
    """Return the name of a time zone in the IANA database; raise an error of pydantic otherwise. A validator."""
    if name not in time_zone_names():
        raise PydanticCustomError("time_zone", "Must be a time zone of the IANA database, such as Europe/Berlin")
    return name


def require_language_tag(tag: str) -> str:
    """Return a well-formed language tag (RFC 5646); raise an error of pydantic otherwise. A validator."""
    if not is_language_tag(tag):
        raise PydanticCustomError("language", "Must be a BCP 47 language tag, such as en-US")
    return tag
