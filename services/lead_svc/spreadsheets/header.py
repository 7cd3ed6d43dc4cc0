"""Which column of a file is which field of a lead."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from services.lead_svc.domain.fields import FIELD_BY_NAME, FIELDS
from services.lead_svc.spreadsheets.row_errors import FileRejectedError, RowError, shorten

MAX_COLUMNS: Final = 1_000
MAX_HEADER_LENGTH: Final = 255
ERRORS_HEADER: Final = "errors"
"""Heads the last column of failed rows that are given back. An import passes over it: they can be sent as they are."""

# How people head a column, beside the field's own name; written without case, spaces and punctuation.
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

# Headers that mean the phone number where no other column does; beside one they are columns of their own.
_PHONE_FOR_WANT_OF_BETTER: Final = frozenset(
    {"mobile", "mobilephone", "mobilenumber", "mobileno", "cell", "cellphone", "cellnumber"}
)


def strip_header(header: str) -> str:
    """The header without the space and the byte order mark around it."""
    return header.strip().strip("\ufeff\u200b").strip()


def _key(header: str) -> str:
    """The header without case, spaces and punctuation; "" for one that is too long to be a header."""
    name = strip_header(header)
    if len(name) > MAX_HEADER_LENGTH:  # normalisation takes time that grows with the square of the length
        return ""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", name).casefold())


_FIELD_BY_KEY: Final = {
    _key(key): spec.name for spec in FIELDS if spec.importable for key in (spec.name, *ALIASES.get(spec.name, ()))
}


@dataclass(frozen=True, slots=True)
class Columns:
    """Where things stand in a file. Positions count from 0.

    `fields` maps a lead's fields to their columns; `extras` maps the headers of all other columns, as written, to
    theirs; `unnamed` are the columns without a header; `report` is the one in which an earlier import told its errors.
    `collector` say why the header is none for a file of leads: with any, the rest is as far as it goes.
    """

    fields: Mapping[str, int]
    extras: Mapping[str, int]
    unnamed: tuple[int, ...]
    errors_column: int | None = None
    errors: tuple[RowError, ...] = ()


def field_for_header(header: str) -> str | None:
    """The field that a header means, whatever its case, spaces, hyphens and underscores."""
    return _FIELD_BY_KEY.get(_key(header))


def match_columns(headers: Sequence[str], column_map: Mapping[str, str] = MappingProxyType({})) -> Columns:
    """Find every column's meaning.

    Parameters
    ----------
    column_map
        What the caller says of headers: it stands over what they would mean by themselves.

    Raises
    ------
    FileRejectedError
        If there are too many columns.
    """
    if len(headers) > MAX_COLUMNS:
        raise too_many_columns_error()
    told, errors = _told(headers, column_map)
    by_name: defaultdict[str, list[int]] = defaultdict(list)
    extras: defaultdict[str, list[int]] = defaultdict(list)
    report = None
    for position, header in enumerate(headers):
        name = told.get(position)
        if name is None and position == len(headers) - 1 > 0 and strip_header(header) == ERRORS_HEADER:
            report = position
            continue
        if name is None:
            meant = field_for_header(header)
            name = meant if meant not in told.values() else None
        (extras[strip_header(header)] if name is None else by_name[name]).append(position)
    unnamed = extras.pop("", [])
    if "phone" not in by_name:
        by_name |= _phone_for_want_of_better(extras)
    errors += _objections(headers, by_name, extras)
    return Columns(_only(by_name), _only(extras), tuple(unnamed), report, tuple(errors))


def _told(headers: Sequence[str], column_map: Mapping[str, str]) -> tuple[dict[int, str], list[RowError]]:
    """Which field each column is by the caller's word, and what is wrong with that."""
    columns: defaultdict[str, list[int]] = defaultdict(list)
    for position, header in enumerate(headers):
        columns[_key(header) or strip_header(header)].append(position)
    told: dict[int, str] = {}
    errors = []
    for header, name in column_map.items():
        spec = FIELD_BY_NAME.get(name)
        if spec is None or not spec.importable:
            message = f'column_map: no field of a lead is called "{shorten(name)}"'
            errors.append(RowError(None, _in_map(header), shorten(name), "unknown_field", message))
        positions = columns.get(_key(header) or strip_header(header), [])
        if not positions:
            message = f'column_map: the file has no column "{shorten(header)}"'
            errors.append(RowError(None, _in_map(header), shorten(name), "unknown_column", message))
        if spec is not None and spec.importable:
            told |= dict.fromkeys(positions, name)
    return told, errors


def _in_map(header: str) -> str:
    return f"column_map.{shorten(header)}"


def column_letters(position: int) -> str:
    """The name that a spreadsheet gives to a column: A, B, …, Z, AA, …"""
    name = ""
    while position >= 0:
        position, rest = divmod(position, 26)
        name = chr(ord("A") + rest) + name
        position -= 1
    return name


def too_many_columns_error() -> FileRejectedError:
    """The rejection of a file that is wider than `MAX_COLUMNS`."""
    return FileRejectedError.because("too_many_columns", f"A file may have at most {MAX_COLUMNS:,} columns")


def _phone_for_want_of_better(extras: defaultdict[str, list[int]]) -> dict[str, list[int]]:
    for header in list(extras):
        if _key(header) in _PHONE_FOR_WANT_OF_BETTER:
            return {"phone": extras.pop(header)}
    return {}


def _objections(
    headers: Sequence[str], by_name: Mapping[str, list[int]], extras: Mapping[str, list[int]]
) -> list[RowError]:
    errors = []
    if "phone" not in by_name:
        errors.append(RowError(None, "phone", None, "missing", "Missing required fields: phone"))
    for name, positions in [*by_name.items(), *extras.items()]:
        if len(positions) > 1:
            shown = " and ".join(f'{column_letters(at)} ("{shorten(strip_header(headers[at]))}")' for at in positions)
            message = f"Columns {shown} have the same name"
            if name in by_name:
                message = f"Columns {shown} are the same field: {name}"
            errors.append(RowError(None, shorten(name), None, "duplicate_column", message))
        if len(name) > MAX_HEADER_LENGTH:
            message = (
                f"The header of column {column_letters(positions[0])} is longer than {MAX_HEADER_LENGTH} characters"
            )
            errors.append(RowError(None, shorten(name), None, "too_long", message))
    return errors


def _only(columns: Mapping[str, list[int]]) -> dict[str, int]:
    return {name: positions[0] for name, positions in columns.items()}
