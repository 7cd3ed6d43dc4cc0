"""Types of a campaign's fields: datetimes, languages, time zones, working days."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from services.campaign_svc.campaigns.fields import Language, TimeZone, WorkingDays, require_datetime

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-03-01 09:00:00", datetime(2024, 3, 1, 8, tzinfo=UTC)),
        ("2024-07-01 09:00:00", datetime(2024, 7, 1, 7, tzinfo=UTC)),
        ("2024-03-01T09:00:00", datetime(2024, 3, 1, 8, tzinfo=UTC)),
        ("2024-03-01T09:00:00Z", datetime(2024, 3, 1, 9, tzinfo=UTC)),
        ("2024-03-01T09:00:00.000Z", datetime(2024, 3, 1, 9, tzinfo=UTC)),
        ("2024-03-01 09:00:00+05:30", datetime(2024, 3, 1, 3, 30, tzinfo=UTC)),
        ("2024-03-31 02:30:00", datetime(2024, 3, 31, 1, 30, tzinfo=UTC)),
        ("2024-10-27 02:30:00", datetime(2024, 10, 27, 0, 30, tzinfo=UTC)),
        ("1900-01-01 00:00:00", datetime(1899, 12, 31, 23, tzinfo=UTC)),
    ],
    ids=["winter", "summer", "with T", "UTC", "JavaScript", "offset", "skipped", "ambiguous", "earliest"],
)
def test_a_datetime_without_an_offset_is_local_time_in_the_zone(text: str, expected: datetime) -> None:
    assert require_datetime(text, BERLIN) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2024-03-01",
        "2024-03-01 09:00",
        "2024-02-30 09:00:00",
        "2024-03-01 24:00:00",
        "2024-03-01T09:00:00+25:00",
        "2024-03-01 09:00:00 ",
        "01.03.2024 09:00:00",
        "٢٠٢٤-03-01 09:00:00",
        "1899-12-31 23:59:59",
        "3000-01-01 00:00:00",
        1709283600,
        True,
    ],
)
def test_an_invalid_datetime_is_rejected(text: object) -> None:
    with pytest.raises(PydanticCustomError, match="Must be a date and time"):
        require_datetime(text, BERLIN)


@pytest.mark.parametrize(
    "tag",
    ["en", "en-US", "EN-us", "zh-Hant-TW", "es-419", "de-CH-1996", "sl-rozaj-biske", "en-u-ca-buddhist", "zh-yue"],
)
def test_a_bcp_47_tag_is_accepted(tag: str) -> None:
    assert TypeAdapter(Language).validate_python(tag) == tag


@pytest.mark.parametrize("tag", ["", "e", "en_US", "en-", "-US", "english-language-of-the-states", "en US", "de-é"])
def test_an_invalid_language_tag_is_rejected(tag: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Language).validate_python(tag)


@pytest.mark.parametrize("name", ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Asia/Kolkata"])
def test_a_time_zone_of_the_iana_database_is_accepted(name: str) -> None:
    assert TypeAdapter(TimeZone).validate_python(name) == name


@pytest.mark.parametrize("name", ["", "utc", "Europe", "Mars/Olympus", "../etc/passwd", "localtime", "+02:00", "a\0b"])
def test_other_time_zone_names_are_rejected(name: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(TimeZone).validate_python(name)


def test_working_days_are_stored_once_in_the_order_of_the_week() -> None:
    days = ["sunday", "MONDAY", "Friday", "monday", " wednesday "]
    assert TypeAdapter(WorkingDays).validate_python(days) == ["Monday", "Wednesday", "Friday", "Sunday"]
