"""Parse the text of a cell as the value of a field: the rule, for one text at a time.

`columns` applies the same rule to whole columns, `from_json` is for the values of JSON bodies, `to_text` turns values
of JSON leads into cell texts, so that this rule applies to them too. Loaded by lead-api, so without polars.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Final

import orjson

from services.lead_svc.domain import phone
from services.lead_svc.domain.fields import Field, Kind
from services.lead_svc.values.jsonb import to_jsonb
from services.lead_svc.values.rules import is_email, round_to_cents
from shared.languages import normalize_language_tag
from shared.time_zones import time_zones_by_lower_case

Value = str | int

_DAY_SECONDS: Final = 86_400
_MAX_NUMBER_LENGTH: Final = 40
_MAX_EXPONENT: Final = 30
_MAX_WRITTEN_LENGTH: Final = 1_000
_TIME: Final = re.compile(
    r"([0-9]{1,2})(?::([0-9]{2}))?(?::([0-9]{2})(?:\.[0-9]+)?)?\s*([ap])?(?:\.?m\.?)?", re.IGNORECASE
)
_DAY_FRACTION: Final = re.compile(r"0?\.[0-9]+|0")
_GROUPED: Final = re.compile(r"[0-9]{1,3}(?:(?P<mark>[,.' ])[0-9]{3})(?:(?P=mark)[0-9]{3})*(?:[.,][0-9]+)?")


def parse_text(field: Field, text: str) -> Value | None:
    """Return the value of a trimmed, non-empty text for a field, None if the text is not a value of it.

    Lists and objects are returned as JSON text, money as decimal text, times as "HH:MM:SS".
    """
    return _PARSERS[field.kind](field, text)


def _without_invisible(text: str) -> str:
    """Return the text without invisible characters (Unicode category Cf), which are in texts copied from web pages.

    A text of more than `_MAX_WRITTEN_LENGTH` characters is returned as it is: every character takes a Python call, and
    no amount or address is that long.
    """
    if text.isascii() or len(text) > _MAX_WRITTEN_LENGTH:
        return text
    return "".join(character for character in text if unicodedata.category(character) != "Cf")


def _parse_text(field: Field, text: str) -> str | None:
    return text if len(text) <= (field.max_length or 0) else None


def _parse_phone(_field: Field, text: str) -> str | None:
    try:
        return phone.normalize(text).e164
    except phone.InvalidPhoneError:
        return None


def _parse_email(field: Field, text: str) -> str | None:
    address = _without_invisible(text).strip()
    return address if is_email(field, address) else None


def _parse_choice(field: Field, text: str) -> str | None:
    choice = re.sub(r"[\s_-]+", "_", text.lower())
    return choice if choice in field.choices else None


def _parse_integer(field: Field, text: str) -> int | None:
    number = field.words.get(text.lower())
    if number is None:
        decimal = _decimal(text)
        if decimal is None or decimal != decimal.to_integral_value():
            return None
        number = int(decimal)
    return number if field.minimum <= number <= field.maximum else None


def _parse_money(field: Field, text: str) -> str | None:
    if len(text) > _MAX_WRITTEN_LENGTH:
        return None
    number = "".join(character for character in _without_invisible(text) if unicodedata.category(character) != "Sc")
    amount = _decimal(_ungrouped(number.replace("\u00a0", " ").replace("\u202f", " ").strip()))
    if amount is None or amount < 0:
        return None
    cents = round_to_cents(field, abs(amount))
    return None if cents is None else str(cents)


def _ungrouped(text: str) -> str:
    """Return a number with a decimal point and no other mark; "1,234", "1.234.567" are grouped, "1234,5" is not."""
    grouped = _GROUPED.fullmatch(text)
    if grouped is not None and not (grouped["mark"] == "." and text.count(".") == 1 and "," not in text):
        text = text.replace(grouped["mark"], "")
    return text.replace(",", ".") if text.count(",") == 1 else text


def _decimal(text: str) -> Decimal | None:
    """Return the number in a text of at most `_MAX_NUMBER_LENGTH` characters, None if the text is not a number."""
    if len(text) > _MAX_NUMBER_LENGTH or not text.isascii() or "_" in text:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) <= _MAX_EXPONENT else None


def _parse_time(_field: Field, text: str) -> str | None:
    if _DAY_FRACTION.fullmatch(text):  # a time of day as Excel stores it
        seconds = round(float(text) * _DAY_SECONDS) % _DAY_SECONDS
        return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    hour, minute, second = int(match[1]), int(match[2] or 0), int(match[3] or 0)
    if match[4] is not None:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if match[4].lower() == "p" else 0)
    elif match[2] is None or text[-1] in ".mM":
        return None
    return f"{hour:02}:{minute:02}:{second:02}" if hour < 24 and minute < 60 and second < 60 else None


def _parse_time_zone(_field: Field, text: str) -> str | None:
    return time_zones_by_lower_case().get(text.lower().replace(" ", "_"))


def _parse_language(field: Field, text: str) -> str | None:
    return normalize_language_tag(text) if len(text) <= (field.max_length or 0) else None


def _parse_list(field: Field, text: str) -> str | None:
    if text.startswith("["):
        items = _json(text)
        if not isinstance(items, list) or not all(isinstance(item, str) and "\0" not in item for item in items):
            return None
    else:
        items = re.split(f"[{field.separators}]", text)
    # The length of the items, not of the text, in which an export writes quotes and commas.
    if sum(map(len, items)) > (field.max_length or 0):
        return None
    return orjson.dumps([stripped for item in items if (stripped := item.strip())]).decode()


def _parse_object(field: Field, text: str) -> str | None:
    document = _json(text)
    if not isinstance(document, dict) or (encoded := to_jsonb(document)) is None:
        return None
    # An export writes one cell with the values of many columns, each of which may have this length.
    limit = field.max_length or 0
    fits = len(text) <= limit or all(_length(value) <= limit for value in document.values())
    return encoded if fits else None


def _length(value: object) -> int:
    return len(value if isinstance(value, str) else orjson.dumps(value).decode())


def _json(text: str) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


_PARSERS: Final[Mapping[Kind, Callable[[Field, str], Value | None]]] = {
    Kind.TEXT: _parse_text,
    Kind.PHONE: _parse_phone,
    Kind.EMAIL: _parse_email,
    Kind.CHOICE: _parse_choice,
    Kind.INTEGER: _parse_integer,
    Kind.MONEY: _parse_money,
    Kind.TIME: _parse_time,
    Kind.TIMEZONE: _parse_time_zone,
    Kind.LANGUAGE: _parse_language,
    Kind.LIST: _parse_list,
    Kind.OBJECT: _parse_object,
}
