"""Moments, and how one that is written without an offset is read."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from services.campaign_svc.campaigns.fields import Language, TimeZone, WorkingDays, parse_datetime

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("written", "meant"),
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
    ids=["winter", "summer", "with T", "UTC", "JavaScript", "offset", "skipped", "twice", "earliest"],
)
def test_a_moment_without_an_offset_is_a_wall_clock_of_the_zone(written: str, meant: datetime) -> None:
    assert parse_datetime(written, BERLIN) == meant


@pytest.mark.parametrize(
    "written",
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
def test_what_is_no_moment_is_refused(written: object) -> None:
    with pytest.raises(PydanticCustomError, match="Must be a date and time"):
        parse_datetime(written, BERLIN)


@pytest.mark.parametrize(
    "tag",
    ["en", "en-US", "EN-us", "zh-Hant-TW", "es-419", "de-CH-1996", "sl-rozaj-biske", "en-u-ca-buddhist", "zh-yue"],
)
def test_a_language_has_the_form_of_bcp_47(tag: str) -> None:
    assert TypeAdapter(Language).validate_python(tag) == tag


@pytest.mark.parametrize("tag", ["", "e", "en_US", "en-", "-US", "english-language-of-the-states", "en US", "de-é"])
def test_what_has_not_is_no_language(tag: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Language).validate_python(tag)


@pytest.mark.parametrize("name", ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Asia/Kolkata"])
def test_a_time_zone_is_one_of_the_iana_database(name: str) -> None:
    assert TypeAdapter(TimeZone).validate_python(name) == name


@pytest.mark.parametrize("name", ["", "utc", "Europe", "Mars/Olympus", "../etc/passwd", "localtime", "+02:00", "a\0b"])
def test_other_names_are_no_time_zones(name: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(TimeZone).validate_python(name)


def test_working_days_are_kept_once_in_the_order_of_the_week() -> None:
    given = ["sunday", "MONDAY", "Friday", "monday", " wednesday "]
    assert TypeAdapter(WorkingDays).validate_python(given) == ["Monday", "Wednesday", "Friday", "Sunday"]
