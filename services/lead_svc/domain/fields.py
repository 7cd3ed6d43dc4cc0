"""The fields of a lead: the specification that imports, exports and the API share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum, auto
from typing import Final


class LeadStatus(StrEnum):
    """The status of a lead; `lead_status` has the allowed transitions."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    SCHEDULED = "scheduled"
    BLACKLISTED = "blacklisted"


class InterestLevel(StrEnum):
    """How interested a lead is."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Kind(Enum):
    """The kind of a field's values, which decides how a text is read."""

    TEXT = auto()
    PHONE = auto()
    EMAIL = auto()
    CHOICE = auto()
    INTEGER = auto()
    MONEY = auto()
    TIME = auto()
    TIMEZONE = auto()
    LANGUAGE = auto()
    LIST = auto()
    OBJECT = auto()
    DATETIME = auto()


_LETTER: Final = r"A-Za-z0-9\u00a1-\u00ac\u00ae-\u167f\u1681-\u1fff\u2c00-\u2fef\u3001-\ud7ff"
_ATOM: Final = rf"[{_LETTER}!#$%&'*+/=?^_`{{|}}~-]+"

EMAIL_PATTERN: Final = (
    rf"^{_ATOM}(?:\.{_ATOM})*@(?:[{_LETTER}](?:[{_LETTER}-]*[{_LETTER}])?\.)+"
    rf"[A-Za-z\u00a1-\u00ac\u00ae-\u167f\u1681-\u1fff\u2c00-\u2fef\u3001-\ud7ff](?:[{_LETTER}-]*[{_LETTER}])$"
)
"""An address with a dot-separated domain. Python's `re` and polars match it alike."""

_MESSAGES: Final[Mapping[Kind, tuple[str, str]]] = {
    Kind.TEXT: ("too_long", "{label} must be at most {max_length} characters"),
    Kind.PHONE: ("invalid_phone", "Invalid phone number format: {value}"),
    Kind.EMAIL: ("invalid_email", "Invalid email format"),
    Kind.CHOICE: ("invalid_choice", "Invalid {name} value"),
    Kind.INTEGER: ("out_of_range", "{label} must be between {minimum} and {maximum}"),
    Kind.MONEY: ("out_of_range", "{label} must be between {minimum} and {maximum}.99"),
    Kind.TIME: ("invalid_time", "{label} must be a time of day (HH:MM:SS)"),
    Kind.TIMEZONE: ("invalid_timezone", "{label} must be the name of a time zone, such as America/New_York"),
    Kind.LANGUAGE: ("invalid_language", "{label} must be a language tag, such as en-US"),
    Kind.LIST: ("invalid_list", "{label} must be a list of texts"),
    Kind.OBJECT: ("invalid_object", "{label} must be a JSON object"),
    Kind.DATETIME: ("invalid_datetime", "{label} must be a date and time"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field of a lead, and the values it may have.

    Parameters
    ----------
    max_length
        In characters; of a list, those of all items.
    minimum, maximum
        Both included.
    words
        Names that a file may use for numbers.
    separators
        Characters that separate the items of a list in one cell.
    default
        Stored where a lead has no value.
    importable
        Whether a file can set the field.
    message
        Template of the error message, instead of that of the kind.
    """

    name: str
    kind: Kind
    max_length: int | None = None
    minimum: int = 0
    maximum: int = 0
    choices: frozenset[str] = frozenset()
    words: Mapping[str, int] = field(default_factory=dict)
    separators: str = ""
    default: str | int | None = None
    importable: bool = True
    message: str | None = None

    @property
    def label(self) -> str:
        """The name in error messages."""
        return self.name.replace("_", " ").capitalize()

    @property
    def error_code(self) -> str:
        """The code of the error of an invalid value, for programs."""
        return _MESSAGES[self.kind][0]

    def error_message(self, value: str) -> str:
        """Return the message of the error of an invalid value, for people."""
        template = self.message or _MESSAGES[self.kind][1]
        return template.format(
            name=self.name,
            label=self.label,
            value=value,
            max_length=f"{self.max_length or 0:,}",
            minimum=self.minimum,
            maximum=self.maximum,
        )


def _text(name: str, max_length: int) -> Field:
    return Field(name=name, kind=Kind.TEXT, max_length=max_length)


FIELDS: Final = (
    _text("first_name", 100),
    _text("last_name", 100),
    Field(name="phone", kind=Kind.PHONE),
    Field(name="alternate_phone", kind=Kind.PHONE),
    Field(name="email", kind=Kind.EMAIL, max_length=254),
    _text("company_name", 200),
    _text("job_title", 200),
    _text("industry", 100),
    Field(name="status", kind=Kind.CHOICE, choices=frozenset(LeadStatus), default=LeadStatus.PENDING.value),
    Field(
        name="priority",
        kind=Kind.INTEGER,
        minimum=1,
        maximum=5,
        default=3,
        words={"high": 1, "medium": 3, "low": 5},
    ),
    Field(name="best_time_to_call", kind=Kind.TIME),
    Field(name="timezone", kind=Kind.TIMEZONE, max_length=64, default="UTC"),
    Field(name="preferred_language", kind=Kind.LANGUAGE, max_length=35, default="en-US"),
    _text("country", 100),
    _text("state", 100),
    _text("city", 100),
    _text("address", 500),
    _text("postal_code", 20),
    _text("source", 100),
    _text("source_details", 500),
    Field(name="annual_revenue", kind=Kind.MONEY, maximum=9_999_999_999_999),
    _text("company_size", 50),
    Field(name="lead_score", kind=Kind.INTEGER, maximum=100),
    Field(
        name="interest_level",
        kind=Kind.CHOICE,
        choices=frozenset(InterestLevel),
        message="Invalid interest level",
    ),
    Field(name="pain_points", kind=Kind.LIST, max_length=10_000, separators=";|\n"),
    Field(name="requirements", kind=Kind.LIST, max_length=10_000, separators=";|\n"),
    Field(name="tags", kind=Kind.LIST, max_length=10_000, separators=",;|\n"),
    Field(name="custom_fields", kind=Kind.OBJECT, max_length=10_000),
    Field(
        name="assigned_to",
        kind=Kind.INTEGER,
        minimum=1,
        maximum=9_223_372_036_854_775_807,
        message="{label} must be the id of an agent",
    ),
    _text("notes", 10_000),
    Field(name="last_contact_date", kind=Kind.DATETIME, importable=False),
    Field(name="next_contact_date", kind=Kind.DATETIME, importable=False),
)

FIELD_BY_NAME: Final[Mapping[str, Field]] = {spec.name: spec for spec in FIELDS}

EXTRA_VALUE_LENGTH: Final = 10_000
"""Most characters of a value in a column that is not a field of a lead; the value is stored in `custom_fields`."""
