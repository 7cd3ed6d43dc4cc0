"""The small rules that every service shares: texts, datetimes, time zones, languages, schemas, SQL files."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import AfterValidator, BaseModel, Field, StringConstraints, ValidationError

from shared.database.idempotency_keys import RESULT, StoredRow
from shared.database.queries import QueryFileError, load_queries
from shared.datetimes import midnight, parse_datetime, to_utc
from shared.languages import is_language_tag, normalize_language_tag
from shared.schema import (
    JsonNumber,
    Money,
    Schema,
    StrictIntText,
    UtcDatetime,
    require_language_tag,
    require_time_zone,
)
from shared.text import shorten
from shared.time_zones import time_zone_names, time_zones_by_lower_case


@pytest.mark.parametrize(
    ("text", "shortened"),
    [("x" * 100, "x" * 100), ("x" * 101, "x" * 100 + "…"), ("", ""), ("ß" * 200, "ß" * 100 + "…")],
)
def test_a_long_text_is_cut_to_100_characters_and_marked(text: str, shortened: str) -> None:
    """Fails when an error repeats a cell of megabytes, or cuts without a mark."""
    assert shorten(text) == shortened


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-02-20T14:00:00Z", datetime(2024, 2, 20, 14, tzinfo=UTC)),
        ("2024-02-20 14:00:00.5+02:00", datetime(2024, 2, 20, 12, microsecond=500_000, tzinfo=UTC)),
        ("2024-02-20 14:00:00", datetime(2024, 2, 20, 14)),  # noqa: DTZ001 - as it was written
        ("2024-02-20T14:00", datetime(2024, 2, 20, 14)),  # noqa: DTZ001
        ("2024-02-30T14:00:00Z", None),
        ("2024-02-20T25:00:00Z", None),
        ("2024-02-20T14:00:00+25:00", None),
        ("3000-01-01T00:00:00Z", None),
        ("1899-12-31T00:00:00Z", None),
        ("20240220T140000Z", None),
        ("2024-W08-2T14:00:00Z", None),
        ("1708437600", None),
        ("", None),
    ],
)
def test_datetimes_are_iso_8601_of_the_years_1900_to_2999(text: str, moment: datetime | None) -> None:
    """Fails when a Unix time, a week date or a year at the end of the calendar is accepted."""
    assert parse_datetime(text) == moment


def test_seconds_may_be_required() -> None:
    assert parse_datetime("2024-02-20T14:00Z", require_seconds=True) is None
    assert parse_datetime("2024-02-20T14:00:00Z", require_seconds=True) == datetime(2024, 2, 20, 14, tzinfo=UTC)


@pytest.mark.parametrize(
    ("clock", "moment"),
    [
        ("2024-07-01 12:00:00", "2024-07-01T10:00:00+00:00"),
        ("2024-10-27 02:30:00", "2024-10-27T00:30:00+00:00"),  # displayed twice: the first
        ("2024-03-31 02:30:00", "2024-03-31T01:30:00+00:00"),  # skipped: as 03:30
        ("2024-07-01 12:00:00Z", "2024-07-01T12:00:00+00:00"),
    ],
)
def test_a_wall_clock_is_read_in_its_time_zone(clock: str, moment: str) -> None:
    """Fails when a time that summer time repeats or skips becomes another moment."""
    assert to_utc(datetime.fromisoformat(clock), "Europe/Berlin").isoformat() == moment
    assert to_utc(datetime.fromisoformat(clock), ZoneInfo("Europe/Berlin")).isoformat() == moment


@pytest.mark.parametrize(
    ("day", "time_zone", "moment"),
    [
        (date(2024, 3, 1), "UTC", "2024-03-01T00:00:00+00:00"),
        (date(2024, 3, 1), "Asia/Tokyo", "2024-02-29T15:00:00+00:00"),
        (date(2024, 9, 8), "America/Santiago", "2024-09-08T04:00:00+00:00"),  # clocks skip midnight
    ],
)
def test_a_day_begins_at_midnight_of_its_time_zone(day: date, time_zone: str, moment: str) -> None:
    found = midnight(day, time_zone)
    assert found is not None
    assert found.isoformat() == moment


def test_a_midnight_before_the_calendar_begins_is_none() -> None:
    assert midnight(date.min, "Asia/Tokyo") is None


def test_time_zones_are_those_of_the_iana_database() -> None:
    assert {"UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"} <= time_zone_names()
    assert "Factory" not in time_zone_names()
    assert time_zones_by_lower_case()["america/port-au-prince"] == "America/Port-au-Prince"
    for name in time_zone_names():
        ZoneInfo(name)


@pytest.mark.parametrize("tag", ["en", "en-US", "zh-Hant-TW", "sl-rozaj-biske", "de-CH-1901", "en-x-private", "tlh"])
def test_well_formed_language_tags(tag: str) -> None:
    assert is_language_tag(tag)


@pytest.mark.parametrize("tag", ["", "e", "en_US", "en-", "en--US", "english language", "en-US-"])
def test_texts_that_are_no_language_tags(tag: str) -> None:
    assert not is_language_tag(tag)


@pytest.mark.parametrize(
    ("text", "tag"),
    [("EN_us", "en-US"), ("zh-hant-tw", "zh-Hant-TW"), ("de", "de"), ("deutsch", None), ("", None), ("en US", None)],
)
def test_a_language_as_people_write_it_is_brought_into_form(text: str, tag: str | None) -> None:
    assert normalize_language_tag(text) == tag


class _Body(Schema):
    name: Annotated[str, StringConstraints(max_length=5)]
    words: list[str] = Field(default=[])
    note: str | None = "none"


class _Lenient(_Body):
    null_is_absent = True


def _errors(schema: type[BaseModel], body: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(ValidationError) as error:
        schema.model_validate(body)
    return [(".".join(map(str, found["loc"])), found["type"]) for found in error.value.errors()]


def test_a_schema_refuses_unknown_fields_and_nul_characters() -> None:
    """Fails when a typo in an optional field is ignored, or PostgreSQL gets a text that it cannot store."""
    assert _errors(_Body, {"name": "a", "nmae": "b"}) == [("nmae", "extra_forbidden")]
    assert _errors(_Body, {"name": "a\0", "note": "\0"}) == [("name", "value_error"), ("note", "value_error")]
    assert _errors(_Body, {"name": "a", "words": ["b", "\0"]}) == [("words", "value_error")]


def test_null_is_absent_only_where_a_schema_declares_it() -> None:
    assert _Body.model_validate({"name": "a", "note": None}).note is None
    assert _Lenient.model_validate({"name": "a", "note": None}).note == "none"
    assert _errors(_Lenient, {"name": None}) == [("name", "missing")]
    assert _errors(_Lenient, {"name": "a", "other": None}) == [("other", "extra_forbidden")]


class _Values(BaseModel):
    money: Annotated[Money, JsonNumber] | None = None
    count: Annotated[int, StrictIntText] = 0
    moment: UtcDatetime | None = None
    time_zone: Annotated[str, AfterValidator(require_time_zone)] = "UTC"
    language: Annotated[str, AfterValidator(require_language_tag)] = "en"


def test_money_is_an_exact_decimal_and_a_json_number() -> None:
    assert _Values.model_validate({"money": 0.1}).model_dump_json(include={"money"}) == '{"money":0.1}'
    assert _errors(_Values, {"money": "0.1"}) == _errors(_Values, {"money": True}) == [("money", "amount")]


@pytest.mark.parametrize("text", ["1_0", "1.0", "+1", "01", " 1", "١"])
def test_a_number_of_the_query_is_digits(text: str) -> None:
    assert _errors(_Values, {"count": text}) == [("count", "int_parsing")]


def test_values_of_bodies() -> None:
    moment = _Values.model_validate({"moment": "2024-03-01T01:00:00+01:00"}).moment
    assert moment is not None
    assert moment.isoformat() == "2024-03-01T00:00:00+00:00"
    assert _errors(_Values, {"moment": "2024-03-01T01:00:00"}) == [("moment", "timezone_aware")]
    assert _errors(_Values, {"moment": "3000-01-01T00:00:00Z"}) == [("moment", "value_error")]
    assert _errors(_Values, {"time_zone": "Europe/Bonn"}) == [("time_zone", "time_zone")]
    assert _errors(_Values, {"language": "en_US"}) == [("language", "language")]


def _load(folder: Path, text: str) -> Any:
    (folder / "queries.sql").write_text(text)
    return load_queries(str(folder / "repository.py"), "queries.sql")


def test_a_sql_file_has_named_statements(tmp_path: Path) -> None:
    queries = _load(
        tmp_path,
        "-- About the file.\n\n-- name: one\n-- The number one.\nSELECT 1\n\n-- name: two\n-- Two.\nSELECT 2\n",
    )
    assert queries.one == "-- The number one.\nSELECT 1"
    assert queries.two.endswith("SELECT 2")
    with pytest.raises(AttributeError):
        _ = queries.three


@pytest.mark.parametrize(
    "text",
    [
        "-- name: one\n-- Nothing follows.\n",
        "-- name: one two\n-- Two names.\nSELECT 1\n",
        "-- name: one\n-- First.\nSELECT 1\n-- name: one\n-- Second.\nSELECT 2\n",
    ],
)
def test_a_sql_file_without_statement_or_unique_names_is_an_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(QueryFileError):
        _load(tmp_path, text)


@pytest.mark.parametrize("path", sorted(Path("services").rglob("*.sql")), ids=str)
def test_every_statement_of_a_service_states_its_purpose(path: Path) -> None:
    """Fails when a statement of a SQL file has a name and no line about its purpose."""
    for name, statement in vars(load_queries(str(path), path.name)).items():
        assert statement.startswith("-- "), name


@pytest.mark.parametrize(
    ("status", "body", "result"),
    [
        (RESULT, b'{"id":1}', b'{"id":1}'),
        (RESULT, b'{"message":"unchanged","data":1}', b'{"message":"unchanged","data":1}'),
        (201, b'{"message":"Created","data":{"id":1,"data":{}}}', b'{"id":1,"data":{}}'),
        (200, b'{"message":"Recorded"}', b"null"),
        (200, b'{"import_id":5}', b'{"import_id":5}'),
    ],
)
def test_a_response_that_an_older_version_stored_is_read_as_a_result(status: int, body: bytes, result: bytes) -> None:
    """Fails when a request from before an upgrade, sent again after it, is executed twice or gets another response."""
    assert StoredRow(b"", status, body).result == result
