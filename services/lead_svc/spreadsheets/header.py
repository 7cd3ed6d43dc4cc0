"""Match the header of a file to the fields of a lead: which column is which field."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from services.lead_svc.domain.fields import FIELD_BY_NAME, FIELDS
from services.lead_svc.spreadsheets.row_errors import PHONE_MISSING, FileRejectedError, RowError
from shared.text import shorten

MAX_COLUMNS: Final = 1_000
MAX_HEADER_LENGTH: Final = 255
ERRORS_HEADER: Final = "errors"
"""The header of the last column of a file of failed rows. An import skips the column, so the file can be sent again."""

# Other names of a field in headers, without case, spaces and punctuation.
ALIASES: Final[Mapping[str, tuple[str, ...]]] = {
    "first_name": ("first", "fname", "givenname", "forename"),
    "last_name": ("last", "lname", "familyname", "surname"),
    "phone": (
        "phonenumber", "phoneno", "phonenum", "telephone", "telephonenumber", "telephoneno", "tel", "telno", "phone1",
        "primaryphone", "primaryphonenumber", "contactnumber", "contactphone",
    ),
    "alternate_phone": ("alternatephonenumber", "altphone", "secondaryphone", "otherphone", "phone2", "phonenumber2"),
    "email": ("emailaddress", "mail"),
    "company_name": ("company", "organization", "organisation", "organizationname", "organisationname"),
    "job_title": ("job", "position"),
    "industry": ("sector", "industrysector"),
    "status": ("leadstatus",),
    "priority": ("leadpriority",),
    "best_time_to_call": ("besttime", "besttimetocontact", "preferredcalltime"),
    "timezone": ("tz",),
    "preferred_language": ("language",),
    "country": ("countryregion",),
    "state": ("province", "stateprovince", "stateregion"),
    "city": ("town", "citytown"),
    "address": ("streetaddress", "address1", "addressline1"),
    "postal_code": ("postcode", "zip", "zipcode", "zippostalcode", "postalzipcode"),
    "source": ("leadsource",),
    "source_details": ("sourcedetail", "leadsourcedetails"),
    "annual_revenue": ("revenue",),
    "company_size": ("employees", "numberofemployees", "noofemployees"),
    "tags": ("tag", "labels"),
    "assigned_to": ("assignedagent", "agentid"),
    "notes": ("note",),
}  # fmt: skip

# Headers that mean the phone number if no other column does; otherwise such a column is not a field.
_FALLBACK_PHONE_KEYS: Final = frozenset(
    {"mobile", "mobilephone", "mobilenumber", "mobileno", "cell", "cellphone", "cellnumber"}
)


def strip_header(header: str) -> str:
    """Remove the whitespace and the byte order mark around a header."""
    return header.strip().strip("\ufeff\u200b").strip()


def _key(header: str) -> str:
    """Return the header without case, spaces and punctuation; "" if it is longer than `MAX_HEADER_LENGTH`."""
    name = strip_header(header)
    if len(name) > MAX_HEADER_LENGTH:  # normalisation takes time that grows with the square of the length
        return ""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", name).casefold())


_FIELD_BY_KEY: Final = {
    _key(key): spec.name for spec in FIELDS if spec.importable for key in (spec.name, *ALIASES.get(spec.name, ()))
}


@dataclass(frozen=True, slots=True)
class Columns:
    """The positions of a file's columns, from 0.

    `fields` has the columns of a lead's fields; `extras` those of all other headers, as written; `unnamed` those
    without a header; `errors_column` is the column with the errors of an earlier import. `errors` are the errors of the
    header; if there are any, the rest is incomplete.
    """

    fields: Mapping[str, int]
    extras: Mapping[str, int]
    unnamed: tuple[int, ...]
    errors_column: int | None = None
    errors: tuple[RowError, ...] = ()


def field_for_header(header: str) -> str | None:
    """Return the field that a header means, regardless of its case, spaces, hyphens and underscores."""
    return _FIELD_BY_KEY.get(_key(header))


def match_columns(headers: Sequence[str], column_map: Mapping[str, str] = MappingProxyType({})) -> Columns:
    """Match every column to a field.

    Parameters
    ----------
    column_map
        Fields by header, from the caller. They take precedence over the fields that the headers mean.

    Raises
    ------
    FileRejectedError
        If there are too many columns.
    """
    if len(headers) > MAX_COLUMNS:
        raise too_many_columns_error()
    mapped, errors = _mapped_fields(headers, column_map)
    mapped_names = set(mapped.values())
    by_name: defaultdict[str, list[int]] = defaultdict(list)
    extras: defaultdict[str, list[int]] = defaultdict(list)
    errors_column = None
    for position, header in enumerate(headers):
        name = mapped.get(position)
        if name is None and position == len(headers) - 1 > 0 and strip_header(header) == ERRORS_HEADER:
            errors_column = position
            continue
        if name is None:
            field = field_for_header(header)
            name = field if field not in mapped_names else None
        (extras[strip_header(header)] if name is None else by_name[name]).append(position)
    unnamed = extras.pop("", [])
    if "phone" not in by_name:
        by_name |= _fallback_phone(extras)
    errors += _header_errors(headers, by_name, extras)
    return Columns(_first_positions(by_name), _first_positions(extras), tuple(unnamed), errors_column, tuple(errors))


def _mapped_fields(headers: Sequence[str], column_map: Mapping[str, str]) -> tuple[dict[int, str], list[RowError]]:
    """Return the fields of the columns that the caller maps, by position, and the errors of the map."""
    columns: defaultdict[str, list[int]] = defaultdict(list)
    for position, header in enumerate(headers):
        columns[_key(header) or strip_header(header)].append(position)
    mapped: dict[int, str] = {}
    errors = []
    for header, name in column_map.items():
        spec = FIELD_BY_NAME.get(name)
        if spec is None or not spec.importable:
            message = f'column_map: no field of a lead is called "{shorten(name)}"'
            errors.append(RowError(None, _map_path(header), shorten(name), "unknown_field", message))
        positions = columns.get(_key(header) or strip_header(header), [])
        if not positions:
            message = f'column_map: the file has no column "{shorten(header)}"'
            errors.append(RowError(None, _map_path(header), shorten(name), "unknown_column", message))
        if spec is not None and spec.importable:
            mapped |= dict.fromkeys(positions, name)
    return mapped, errors


def _map_path(header: str) -> str:
    return f"column_map.{shorten(header)}"


def column_letters(position: int) -> str:
    """Return the letters that a spreadsheet displays above a column: A, B, …, Z, AA, …"""
    letters = ""
    while position >= 0:
        position, letter = divmod(position, 26)
        letters = chr(ord("A") + letter) + letters
        position -= 1
    return letters


def too_many_columns_error() -> FileRejectedError:
    """Return the rejection of a file with more than `MAX_COLUMNS` columns."""
    return FileRejectedError.because("too_many_columns", f"A file may have at most {MAX_COLUMNS:,} columns")


def _fallback_phone(extras: defaultdict[str, list[int]]) -> dict[str, list[int]]:
    for header in list(extras):
        if _key(header) in _FALLBACK_PHONE_KEYS:
            return {"phone": extras.pop(header)}
    return {}


def _header_errors(
    headers: Sequence[str], by_name: Mapping[str, list[int]], extras: Mapping[str, list[int]]
) -> list[RowError]:
    errors = []
    if "phone" not in by_name:
        errors.append(RowError(None, "phone", None, "missing", PHONE_MISSING))
    for name, positions in [*by_name.items(), *extras.items()]:
        if len(positions) > 1:
            columns = " and ".join(
                f'{column_letters(position)} ("{shorten(strip_header(headers[position]))}")' for position in positions
            )
            message = f"Columns {columns} have the same name"
            if name in by_name:
                message = f"Columns {columns} are the same field: {name}"
            errors.append(RowError(None, shorten(name), None, "duplicate_column", message))
        if len(name) > MAX_HEADER_LENGTH:
            column = column_letters(positions[0])
            message = f"The header of column {column} is longer than {MAX_HEADER_LENGTH} characters"
            errors.append(RowError(None, shorten(name), None, "too_long", message))
    return errors


def _first_positions(columns: Mapping[str, list[int]]) -> dict[str, int]:
    return {name: positions[0] for name, positions in columns.items()}
