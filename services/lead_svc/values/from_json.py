"""Values of a lead's fields as JSON bodies have them: the same rules, by the same specification, as in a file."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, time
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Final

import orjson
from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from services.lead_svc.domain import phone
from services.lead_svc.domain.fields import EMAIL_PATTERN, FIELD_BY_NAME, Field, Kind
from services.lead_svc.domain.language import language_tag
from services.lead_svc.values.from_text import time_zones
from services.lead_svc.values.jsonb import to_jsonb
from shared.http.errors import display_value

_EMAIL: Final = re.compile(EMAIL_PATTERN)
_TIME: Final = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?")
_MOMENT: Final = re.compile(
    r"(?:19|2[0-9])[0-9]{2}-[0-9]{2}-[0-9]{2}[T ]"
    r"[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(?:Z|[+-][0-9]{2}:[0-9]{2})?"
)
_CENT: Final = Decimal("0.01")


class _Refused(Exception):
    """The value is none that the field can hold; with a code and words of its own, where the field's do not say why."""

    def __init__(self, code: str = "", words: str = "") -> None:
        super().__init__(words)
        self.code = code
        self.words = words


def _wrong_type(wanted: str) -> _Refused:
    return _Refused("wrong_type", f"{{label}} must be {wanted}")


_NOT_STORABLE: Final = "{label} must not hold a NUL character or half a surrogate pair"
_NO_JSON: Final = (
    "{label} must not hold NUL characters, half surrogate pairs, NaN, Infinity or numbers beyond 64 bits, or be nested "
    "more than 254 levels deep"
)
_TOO_LONG: Final = "{label} must be at most {max_length:,} characters in all"


def _is_storable(text: str) -> bool:
    # JSON can hold a NUL and half a surrogate pair, PostgreSQL and UTF-8 cannot.
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _text(field: Field, value: object) -> str:
    if not isinstance(value, str):
        raise _wrong_type("a text")
    if not _is_storable(value):
        raise _Refused("not_storable", _NOT_STORABLE)
    stripped = value.strip()
    if len(stripped) > (field.max_length or 0):
        raise _Refused
    return stripped


def _phone(_field: Field, value: object) -> phone.Phone:
    if not isinstance(value, str) or not _is_storable(value):
        raise _Refused
    try:
        return phone.normalize(value.strip())
    except phone.InvalidPhone as error:
        raise _Refused from error


def _email(field: Field, value: object) -> str:
    address = _text(field, value)
    if not _EMAIL.fullmatch(address):
        raise _Refused
    return address


def _choice(field: Field, value: object) -> str:
    if not isinstance(value, str) or value not in field.choices:
        raise _Refused
    return value


def _integer(field: Field, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _wrong_type("a whole number")
    if not field.minimum <= value <= field.maximum:
        raise _Refused
    return value


def _money(field: Field, value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise _wrong_type("a number")
    try:
        amount = Decimal(str(value)).quantize(_CENT, ROUND_HALF_UP)
        fits = field.minimum <= amount < field.maximum + 1
    except InvalidOperation as error:  # too many digits, or NaN
        raise _Refused from error
    if not fits:
        raise _Refused
    return amount


def _time(_field: Field, value: object) -> time:
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise _Refused
    return time.fromisoformat(value)


def _time_zone(_field: Field, value: object) -> str:
    if not isinstance(value, str) or (name := time_zones().get(value.strip().lower())) is None:
        raise _Refused
    return name


def _language(field: Field, value: object) -> str:
    tag = language_tag(_text(field, value))
    if tag is None:
        raise _Refused
    return tag


def _list(field: Field, value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _Refused
    if not all(map(_is_storable, value)):
        raise _Refused("not_storable", _NOT_STORABLE)
    items = [stripped for item in value if (stripped := item.strip())]
    if sum(map(len, items)) > (field.max_length or 0):
        raise _Refused("too_long", _TOO_LONG)
    return items


def _object(field: Field, value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise _Refused
    try:
        encoded = to_jsonb(value)
    except (TypeError, RecursionError) as error:
        raise _Refused from error
    if encoded is None:
        raise _Refused("not_storable", _NO_JSON)
    if len(encoded) > (field.max_length or 0):
        raise _Refused("too_long", _TOO_LONG)
    read: dict[str, object] = orjson.loads(encoded)
    return read


def _moment(_field: Field, value: object) -> datetime:
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise _Refused
    try:
        return datetime.fromisoformat(value)
    except ValueError as error:
        raise _Refused from error


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
    Kind.DATETIME: _moment,
}


_MAY_BE_BLANK: Final = frozenset({Kind.TEXT, Kind.PHONE, Kind.EMAIL, Kind.TIMEZONE, Kind.LANGUAGE})
"""Kinds of which a blank text is no value; of the others it is a wrong one, but where a time is required."""


def lead_field(name: str, *, like: str | None = None, required: bool = False) -> BeforeValidator:
    """Reads a lead's field from a body: refuses what the field cannot hold, in the words of its specification.

    A text of nothing but space is no value, and so is missing where one is ``required``. A phone number becomes a
    ``Phone``, with its extension; a moment without an offset from UTC stays without. ``like`` names the field whose
    rule holds, where a body calls the value otherwise.
    """
    field = FIELD_BY_NAME[name] if like is None else replace(FIELD_BY_NAME[like], name=name, message=None)
    read = _READERS[field.kind]
    may_be_blank = _MAY_BE_BLANK | {Kind.DATETIME} if required else _MAY_BE_BLANK

    def value_of(given: object) -> object:
        if isinstance(given, str) and not given.strip() and field.kind in may_be_blank:
            given = None
        if given is None:
            if required:
                raise PydanticCustomError("missing", "Missing required field")
            return field.default
        try:
            return read(field, given)
        except _Refused as refused:
            code, words = field.error_code, field.error_message(display_value(given))
            if refused.code and field.message is None:
                code = refused.code
                words = refused.words.format(label=field.label, max_length=field.max_length or 0)
            # As a value of the template: it may hold braces itself.
            raise PydanticCustomError(code, "{words}", {"words": words}) from None

    return BeforeValidator(value_of)
