"""Validate the values of a lead's fields in JSON bodies, by the specification that applies to files too (`from_text`).

A file is written by people and read leniently ("2 pm", "$1,000"); a body is written by a program and read strictly.
Loaded by lead-api, so without polars.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, time
from decimal import Decimal, InvalidOperation
from typing import Final

import orjson
from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from services.lead_svc.domain import phone
from services.lead_svc.domain.fields import FIELD_BY_NAME, Field, Kind
from services.lead_svc.values.jsonb import to_jsonb
from services.lead_svc.values.rules import is_email, round_to_cents
from shared.datetimes import parse_datetime
from shared.http.errors import display_value
from shared.languages import normalize_language_tag
from shared.time_zones import time_zones_by_lower_case

_TIME: Final = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?")
# JSON can contain a NUL and half a surrogate pair, PostgreSQL and UTF-8 cannot.
_NOT_STORABLE_CHARACTER: Final = re.compile("[\0\ud800-\udfff]")


class _InvalidValueError(Exception):
    """The value is not one of the field; with a code and message where those of the field are too general."""

    def __init__(self, code: str = "", message: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def _wrong_type_error(expected: str) -> _InvalidValueError:
    return _InvalidValueError("wrong_type", f"{{label}} must be {expected}")


_NOT_STORABLE: Final = "{label} must not contain a NUL character or half a surrogate pair"
_NOT_STORABLE_JSON: Final = (
    "{label} must not contain NUL characters, half surrogate pairs, NaN, Infinity or numbers beyond 64 bits, or be "
    "nested more than 254 levels deep"
)
_TOO_LONG: Final = "{label} must be at most {max_length:,} characters in all"


def _is_storable(text: str) -> bool:
    return _NOT_STORABLE_CHARACTER.search(text) is None


def _text(field: Field, value: object) -> str:
    if not isinstance(value, str):
        raise _wrong_type_error("a text")
    if not _is_storable(value):
        raise _InvalidValueError("not_storable", _NOT_STORABLE)
    stripped = value.strip()
    if len(stripped) > (field.max_length or 0):
        raise _InvalidValueError
    return stripped


def _phone(_field: Field, value: object) -> phone.Phone:
    if not isinstance(value, str) or not _is_storable(value):
        raise _InvalidValueError
    try:
        return phone.normalize(value.strip())
    except phone.InvalidPhoneError as error:
        raise _InvalidValueError from error


def _email(field: Field, value: object) -> str:
    address = _text(field, value)
    if not is_email(field, address):
        raise _InvalidValueError
    return address


def _choice(field: Field, value: object) -> str:
    if not isinstance(value, str) or value not in field.choices:
        raise _InvalidValueError
    return value


def _integer(field: Field, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _wrong_type_error("a whole number")
    if not field.minimum <= value <= field.maximum:
        raise _InvalidValueError
    return value


def _money(field: Field, value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise _wrong_type_error("a number")
    try:
        amount = round_to_cents(field, Decimal(str(value)))
    except InvalidOperation as error:
        raise _InvalidValueError from error
    if amount is None:
        raise _InvalidValueError
    return amount


def _time(_field: Field, value: object) -> time:
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise _InvalidValueError
    return time.fromisoformat(value)


def _time_zone(_field: Field, value: object) -> str:
    if not isinstance(value, str) or (name := time_zones_by_lower_case().get(value.strip().lower())) is None:
        raise _InvalidValueError
    return name


def _language(field: Field, value: object) -> str:
    tag = normalize_language_tag(_text(field, value))
    if tag is None:
        raise _InvalidValueError
    return tag


def _list(field: Field, value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _InvalidValueError
    if not all(map(_is_storable, value)):
        raise _InvalidValueError("not_storable", _NOT_STORABLE)
    items = [stripped for item in value if (stripped := item.strip())]
    if sum(map(len, items)) > (field.max_length or 0):
        raise _InvalidValueError("too_long", _TOO_LONG)
    return items


def _object(field: Field, value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise _InvalidValueError
    try:
        encoded = to_jsonb(value)
    except (TypeError, RecursionError) as error:
        raise _InvalidValueError from error
    if encoded is None:
        raise _InvalidValueError("not_storable", _NOT_STORABLE_JSON)
    if len(encoded) > (field.max_length or 0):
        raise _InvalidValueError("too_long", _TOO_LONG)
    document: dict[str, object] = orjson.loads(encoded)
    return document


def _datetime(_field: Field, value: object) -> datetime:
    if not isinstance(value, str) or (moment := parse_datetime(value)) is None:
        raise _InvalidValueError
    return moment


_READERS: Final[Mapping[Kind, Callable[[Field, object], object]]] = {
    Kind.TEXT: _text,
    Kind.PHONE: _phone,
    Kind.EMAIL: _email,
    Kind.CHOICE: _choice,
    Kind.INTEGER: _integer,
    Kind.MONEY: _money,
    Kind.TIME: _time,
    Kind.TIMEZONE: _time_zone,
    Kind.LANGUAGE: _language,
    Kind.LIST: _list,
    Kind.OBJECT: _object,
    Kind.DATETIME: _datetime,
}


_BLANK_IS_NULL: Final = frozenset({Kind.TEXT, Kind.PHONE, Kind.EMAIL, Kind.TIMEZONE, Kind.LANGUAGE})
"""Kinds whose blank texts count as null; for the other kinds a blank text is invalid, unless a datetime is required."""


def lead_field(name: str, *, like: str | None = None, required: bool = False) -> BeforeValidator:
    """Validate a lead's field in a body; the errors have the code and message of the field's specification.

    A phone number becomes a ``Phone`` with its extension; a datetime without an offset from UTC remains without.

    Parameters
    ----------
    name
        The name of the value in the body.
    like
        The field whose rule applies, where the body uses another name.
    required
        Whether null and a blank text are errors; otherwise they become the field's default.
    """
    field = FIELD_BY_NAME[name] if like is None else replace(FIELD_BY_NAME[like], name=name, message=None)
    read = _READERS[field.kind]
    blank_is_null = field.kind in (_BLANK_IS_NULL | {Kind.DATETIME} if required else _BLANK_IS_NULL)

    def validate(value: object) -> object:
        if blank_is_null and isinstance(value, str) and not value.strip():
            value = None
        if value is None:
            if required:
                raise PydanticCustomError("missing", "Missing required field")
            return field.default
        try:
            return read(field, value)
        except _InvalidValueError as error:
            code, message = field.error_code, field.error_message(display_value(value))
            if error.code and field.message is None:
                code = error.code
                message = error.message.format(label=field.label, max_length=field.max_length or 0)
            # An argument of the template, because the message may contain braces.
            raise PydanticCustomError(code, "{message}", {"message": message}) from None

    return BeforeValidator(validate)
