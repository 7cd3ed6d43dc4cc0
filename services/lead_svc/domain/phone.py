"""Normalization of phone numbers, the same for files, JSON and the API.

| Text | Number |
| --- | --- |
| E.164 | unchanged |
| ten digits | American |
| eleven to fifteen digits | a '+' is missing |
| a leading 00 | stands for '+' |
| any other notation | parsed by `phonenumbers` |

A number need not be in service, or even be assignable, to be accepted.
"""

import re
import unicodedata
from typing import Final, NamedTuple

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, ValidationResult

E164_PATTERN: Final = r"^\+[1-9][0-9]{6,14}$"

# Forms that need no parsing: the pattern, the number of characters to remove in front, the prefix to put there.
PLAIN_SHAPES: Final = (
    (E164_PATTERN, 0, ""),
    (r"^00[1-9][0-9]{6,14}$", 2, "+"),
    (r"^[0-9]{10}$", 0, "+1"),
    (r"^[1-9][0-9]{10,14}$", 0, "+"),
)
_PLAIN_COMPILED: Final = tuple((re.compile(pattern), cut, prefix) for pattern, cut, prefix in PLAIN_SHAPES)

_EXTENSION: Final = re.compile(
    r"(?P<number>.*[0-9A-Za-z)])[\s.,;-]*?(?:;ext=|\bext(?:ension|n)?\b|(?<![A-Za-z])xt?|#|,,)"
    r"[\s.:#-]*(?P<extension>[0-9]{1,8})[\s#]*",
    re.IGNORECASE,
)
_WRITTEN: Final = re.compile(r"\(?\s*\+?\s*\(?[0-9][0-9\s().-]*")
_WRITTEN_ABROAD: Final = re.compile(r"\(?\s*\+\s*\(?[0-9][0-9\s()./-]*")
_VANITY: Final = re.compile(
    r"(?:\+?1[\s.-]*)?\(?[0-9]{3}\)?[\s.-]*(?=(?:[^A-Za-z]*[A-Za-z]){3})[A-Za-z0-9][A-Za-z0-9\s.-]*"
)
_WHOLE_FLOAT: Final = re.compile(r"(\+?[0-9]+)\.0+")
_SCIENTIFIC: Final = re.compile(r"\+?([1-9])(?:[.,]([0-9]*))?[eE]\+?([0-9]{1,2})")
_FORMULA_TEXT: Final = re.compile(r'="(.*)"')
_MAX_LENGTH: Final = 100
_DASHES: Final = "\u2212\u30fc"  # the minus sign and the long vowel mark, which Unicode does not class as dashes


class Phone(NamedTuple):
    """A number in E.164, and its extension as it was written."""

    e164: str
    extension: str | None = None


class InvalidPhoneError(ValueError):
    """The text is not a phone number."""

    def __init__(self, phone: str) -> None:
        super().__init__(f"Invalid phone number format: {phone}")
        self.phone = phone


def normalize(raw: str) -> Phone:
    """Return the number that a text stands for.

    Raises
    ------
    InvalidPhoneError
        If the text is not a phone number; the error has the text.
    """
    e164 = _plain(raw)
    if e164 is not None:
        return Phone(e164)
    if len(raw) > _MAX_LENGTH:  # the patterns' time grows faster than the text's length
        raise InvalidPhoneError(raw)
    text = _undo_spreadsheet(_as_ascii(raw).strip())
    extension = None
    if (split := _EXTENSION.fullmatch(text)) is not None:
        text, extension = split["number"], split["extension"]
    e164 = _plain(text) or _written(text)
    if e164 is None or not re.fullmatch(E164_PATTERN, e164):
        raise InvalidPhoneError(raw)
    return Phone(e164, extension)


def _plain(text: str) -> str | None:
    for pattern, cut, prefix in _PLAIN_COMPILED:
        if pattern.fullmatch(text):
            return prefix + text[cut:]
    return None


def _as_ascii(raw: str) -> str:
    """Remove invisible characters; replace digits, dashes and spaces of any script by those of ASCII."""
    if raw.isascii():
        return raw
    return "".join(map(_ascii_character, unicodedata.normalize("NFKC", raw)))


def _ascii_character(character: str) -> str:
    match unicodedata.category(character):
        case "Nd":
            return str(unicodedata.decimal(character))
        case "Pd":
            return "-"
        case "Zs" | "Zl" | "Zp":
            return " "
        case "Cf":
            return ""
    return "-" if character in _DASHES else character


def _undo_spreadsheet(text: str) -> str:
    """Return the number in a cell that a spreadsheet wrote as text, as a formula, or as a float."""
    text = text.removeprefix("'")
    if (formula := _FORMULA_TEXT.fullmatch(text)) is not None:
        text = formula[1].strip()
    if (whole := _WHOLE_FLOAT.fullmatch(text)) is not None:
        return whole[1]
    if (scientific := _SCIENTIFIC.fullmatch(text)) is not None:
        return _integer(scientific[1], scientific[2] or "", int(scientific[3]))
    return text


def _integer(leading: str, decimals: str, exponent: int) -> str:
    # With fewer decimals than the exponent requires, digits were rounded away: another number would be called.
    if len(decimals) < exponent or decimals[exponent:].strip("0"):
        return ""
    return leading + decimals[:exponent]


def _written(text: str) -> str | None:
    """Return the E.164 of a number in a notation of people; None if the text is not a number."""
    text = text[4:] if text[:4].lower() == "tel:" else text
    if _VANITY.fullmatch(text):
        return _american(re.sub(r"[^0-9]", "", phonenumbers.convert_alpha_characters_in_number(text)))
    if not _WRITTEN.fullmatch(text) and not _WRITTEN_ABROAD.fullmatch(text):
        return None
    digits = re.sub(r"[^0-9]", "", text)
    if "+" in text:
        return _parsed(text)
    if digits.startswith("00"):
        return _parsed("+" + re.sub(r"^[^0-9]*0[^0-9]*0", "", text))
    if len(digits) == 10:
        return _american(digits)
    if 11 <= len(digits) <= 15:
        # Without the '+' the library would take 44 20 7946 0958 for an American number.
        return _parsed("+" + text)
    return None


def _american(digits: str) -> str | None:
    national = digits.removeprefix("1") if len(digits) == 11 else digits
    return "+1" + national if len(national) == 10 else None


def _parsed(text: str) -> str | None:
    try:
        number = phonenumbers.parse(text, None)
    except NumberParseException:
        return None
    # A part of a number is too short, two numbers in one cell are too long.
    if phonenumbers.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)
