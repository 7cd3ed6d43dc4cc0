"""Which column of a file is which field of a lead."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from services.lead_svc.imports.errors import ImportRejected, RowError, shorten
from services.lead_svc.leads.fields import FIELDS

MAX_COLUMNS: Final = 1_000
MAX_HEADER_LENGTH: Final = 255

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


def _key(header: str) -> str:
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", header).casefold())


_FIELD_BY_KEY: Final = {
    _key(key): spec.name for spec in FIELDS if spec.importable for key in (spec.name, *ALIASES.get(spec.name, ()))
}


@dataclass(frozen=True, slots=True)
class Columns:
    """Where things stand in a file. Positions count from 0.

    `fields` maps a lead's fields to their columns; `extras` maps the headers of all other columns, as written, to
    theirs; `unnamed` are the columns without a header.
    """

    fields: Mapping[str, int]
    extras: Mapping[str, int]
    unnamed: tuple[int, ...]


def field_of(header: str) -> str | None:
    """The field that a header means, whatever its case, spaces, hyphens and underscores."""
    return _FIELD_BY_KEY.get(_key(header))


def arrange(headers: Sequence[str]) -> Columns:
    """Find every column's meaning.

    Raises
    ------
    ImportRejected
        If there is no column for the phone number, or if two columns claim the same name.
    """
    if len(headers) > MAX_COLUMNS:
        raise too_many_columns()
    by_name: defaultdict[str, list[int]] = defaultdict(list)
    extras: defaultdict[str, list[int]] = defaultdict(list)
    for position, header in enumerate(headers):
        name = field_of(header)
        (extras[clean_header(header)] if name is None else by_name[name]).append(position)
    unnamed = extras.pop("", [])
    if "phone" not in by_name:
        by_name |= _phone_for_want_of_better(extras)
    errors = _objections(headers, by_name, extras)
    if errors:
        raise ImportRejected(errors)
    return Columns(_only(by_name), _only(extras), tuple(unnamed))


def clean_header(header: str) -> str:
    """The header without the space and the byte order mark around it."""
    return header.strip().strip("\ufeff\u200b").strip()


def letter(position: int) -> str:
    """The name that a spreadsheet gives to a column: A, B, …, Z, AA, …"""
    name = ""
    while position >= 0:
        position, rest = divmod(position, 26)
        name = chr(ord("A") + rest) + name
        position -= 1
    return name


def too_many_columns() -> ImportRejected:
    """The rejection of a file that is wider than `MAX_COLUMNS`."""
    return ImportRejected.because("too_many_columns", f"A file may have at most {MAX_COLUMNS:,} columns")


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
            shown = " and ".join(f'{letter(at)} ("{shorten(clean_header(headers[at]))}")' for at in positions)
            message = f"Columns {shown} have the same name"
            if name in by_name:
                message = f"Columns {shown} are the same field: {name}"
            errors.append(RowError(None, shorten(name), None, "duplicate_column", message))
        if len(name) > MAX_HEADER_LENGTH:
            message = f"The header of column {letter(positions[0])} is longer than {MAX_HEADER_LENGTH} characters"
            errors.append(RowError(None, shorten(name), None, "too_long", message))
    return errors


def _only(columns: Mapping[str, list[int]]) -> dict[str, int]:
    return {name: positions[0] for name, positions in columns.items()}
