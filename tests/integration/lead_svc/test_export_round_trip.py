"""What was exported is imported again unchanged, by the code that imports files, on a real database."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
import orjson
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from services.import_worker.handler import run_import
from services.lead_svc.domain.fields import EXTRA_VALUE_LENGTH, FIELD_BY_NAME
from services.lead_svc.exports.file_format import COLUMNS, ExportFormat
from services.lead_svc.exports.repository import ExportFilter
from services.lead_svc.exports.service import ExportService
from services.lead_svc.imports import repository
from services.lead_svc.imports.progress import ProgressPublisher
from services.lead_svc.imports.records import ImportRequest
from services.lead_svc.spreadsheets.file_kind import FileKind, identify_file_kind
from shared.database.engine import Database
from shared.ids import CampaignId, CompanyId
from shared.time_zones import time_zones_by_lower_case
from tests.fixtures.lead_service import LeadService
from tests.fixtures.servers import ServerUrls

COMPANY = CompanyId(7)
STORED = tuple(column.name for column in COLUMNS if column.name != "tags")
"""The columns of the table that an export contains; tags are among the custom fields."""

campaign_ids = itertools.count(1)

Lead = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Leads:
    """A database of leads, and the ways in and out of it."""

    database: Database
    connection: "asyncpg.Connection[asyncpg.Record]"
    publisher: ProgressPublisher

    async def stored(self, rows: Sequence[Lead]) -> int:
        """Store leads in a campaign of their own, as they are; returns the campaign's id.

        No number is on the do-not-call list but those of leads that are blacklisted.
        """
        await self.connection.execute("TRUNCATE do_not_call")
        campaign_id = next(campaign_ids)
        await self.connection.execute(
            f"INSERT INTO leads (company_id, campaign_id, {', '.join(STORED)}) "
            f"SELECT $1, $2, {', '.join(STORED)} FROM jsonb_populate_recordset(NULL::leads, $3::jsonb)",
            COMPANY,
            campaign_id,
            orjson.dumps([dict(row) for row in rows]).decode(),
        )
        return campaign_id

    async def read(self, campaign_id: int) -> list[tuple[object, ...]]:
        """What is stored of a campaign's leads."""
        query = f"SELECT {', '.join(STORED)} FROM leads WHERE campaign_id = $1 ORDER BY id"
        return [tuple(row) for row in await self.connection.fetch(query, campaign_id)]

    async def exported(self, campaign_id: int, file_format: ExportFormat) -> bytes:
        """The file of a campaign's leads."""
        content = bytearray()

        async def take(piece: bytes) -> None:
            content.extend(piece)

        service = ExportService(self.database, max_concurrent=1)
        await service.write(ExportFilter(COMPANY, (campaign_id,)), file_format, take)
        return bytes(content)

    async def imported(self, content: bytes, kind: FileKind) -> int:
        """Import a file into a campaign of its own; returns the campaign's id."""
        request = ImportRequest(
            campaign_id=CampaignId(next(campaign_ids)), filename="leads", kind=kind, content=content, default_values={}
        )
        async with self.database.transaction() as connection:
            import_id = await repository.create(connection, COMPANY, request, requested_by="me", row_limit=None)
            await run_import(connection, import_id, self.publisher)
            job = await repository.get(connection, import_id, COMPANY)
        assert job is not None
        assert (job.status, job.error) == ("completed", None)
        return request.campaign_id


@pytest.fixture
async def leads(lead_service: LeadService, servers: ServerUrls) -> Any:
    database = Database(lead_service.database_url, name="round trip")
    connection = await asyncpg.connect(lead_service.database_url)
    async with Redis.from_url(servers.redis) as redis:
        yield Leads(database, connection, ProgressPublisher(redis))
    await connection.close()
    await database.close()


# Everything that PostgreSQL and UTF-8 can store, and often what has a meaning in a file or a spreadsheet.
# Two noncharacters that XML cannot contain stay in Excel's notation when a workbook is read.
characters = st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufffe\uffff")
meaningful = st.sampled_from(
    [
        *(
            "=",
            "+",
            "-",
            "@",
            "'",
            "''",
            '"',
            '""',
            ",",
            ";",
            "|",
            "\t",
            "\r",
            "\n",
            "\r\n",
            "\\",
            "\\.",
            "\\N",
            "NULL",
        ),
        *("\ufeff", "\u200b", "\u00a0", "\u2028", "\x1f", "\x85", "😀", "é", "日本", "=1+1", "sep=,", "<b>", "_x0041_"),
    ]
)


def texts(max_length: int) -> st.SearchStrategy[str]:
    """Texts as they are stored: trimmed, never empty."""
    whole = st.lists(st.one_of(st.text(characters, max_size=8), meaningful), min_size=1, max_size=6).map("".join)
    return whole.map(lambda text: text[:max_length].strip()).filter(bool)


def text_of(name: str) -> st.SearchStrategy[str | None]:
    return st.none() | texts(FIELD_BY_NAME[name].max_length or 0)


phones = st.from_regex(r"\A\+[1-9][0-9]{6,14}\Z")
tags = st.lists(texts(100), max_size=4)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(characters, max_size=10) | meaningful,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(characters, max_size=5), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
custom_fields = st.builds(
    lambda fields, tags: fields | ({} if tags is None else {"tags": tags}),
    st.dictionaries(st.text(characters, min_size=1, max_size=8) | meaningful, json_values, max_size=4),
    # Tags as files and the API have them, and as only the API can store them.
    st.none() | tags | st.lists(st.text(characters, max_size=3) | st.sampled_from(["", " a", "a\u00a0"])) | json_values,
)
stored_leads = st.fixed_dictionaries(
    {name: text_of(name) for name in STORED if FIELD_BY_NAME[name].kind.name == "TEXT"}
    | {
        "phone": phones,
        "alternate_phone": st.none() | phones,
        "email": st.none()
        | st.sampled_from(["a@b.co", "=1@b.co", "+x@b.co", "-@b.co", "'=x@b.co", "jürgen@müller.de"]),
        "status": st.sampled_from(sorted(FIELD_BY_NAME["status"].choices)),
        "priority": st.integers(1, 5),
        "best_time_to_call": st.none() | st.times().map(lambda time: time.replace(microsecond=0).isoformat()),
        "timezone": st.sampled_from(sorted(time_zones_by_lower_case().values())),
        "preferred_language": st.sampled_from(["en-US", "zh-Hant-TW", "es-419", "de"]),
        "annual_revenue": st.none() | st.decimals(0, "9999999999999.99", places=2).map(str),
        "lead_score": st.none() | st.integers(0, 100),
        "interest_level": st.none() | st.sampled_from(["low", "medium", "high"]),
        "pain_points": st.none() | st.lists(texts(100), max_size=3),
        "requirements": st.none() | st.lists(texts(100), max_size=3),
        "custom_fields": custom_fields,
        "assigned_to": st.none() | st.integers(1, 2**63 - 1),
    }
)
# A number that one lead has blacklisted is so for all of them, when they are imported.
some_leads = st.lists(stored_leads, min_size=1, max_size=4, unique_by=lambda lead: lead["phone"])
PLAIN: Lead = {
    **dict.fromkeys(STORED),
    "phone": "+14155550100",
    "status": "pending",
    "priority": 3,
    "timezone": "UTC",
    "preferred_language": "en-US",
    "custom_fields": {},
}
LARGEST: Lead = {
    **PLAIN,
    "notes": "'=\"" * 3_333,
    "pain_points": ['"' * 9_000],
    "custom_fields": {"tags": ["x"] * 5_000, **{f"column {n}": '"' * EXTRA_VALUE_LENGTH for n in range(3)}},
}
DANGEROUS: Lead = {**PLAIN, "first_name": "=1+1", "last_name": "'=1+1", "company_name": "''@x", "notes": "-\n'+"}

ODD_TAGS: Sequence[object] = ([], None, "vip", ["vip", 5], [["vip"]], {"vip": 1}, [""], [" vip"], ["vip\u00a0"])
"""Stored by callers who put them into the custom fields themselves."""

round_trips = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@round_trips
@example([PLAIN])
@example([LARGEST])
@example([{**PLAIN, "custom_fields": {"tags": tags}} for tags in ODD_TAGS])
@example([DANGEROUS, {**PLAIN, "first_name": "'tis", "city": "\\.", "state": "\ufffe"}])
@given(some_leads)
async def test_a_csv_file_comes_back_byte_for_byte(leads: Leads, rows: list[Lead]) -> None:
    campaign_id = await leads.stored(rows)

    content = await leads.exported(campaign_id, ExportFormat.CSV)
    again = await leads.imported(content, identify_file_kind("leads.csv", content))

    assert await leads.read(again) == await leads.read(campaign_id)
    assert await leads.exported(again, ExportFormat.CSV) == content


@round_trips
@example([PLAIN])
@example([DANGEROUS])
@given(some_leads)
async def test_a_workbook_comes_back(leads: Leads, rows: list[Lead]) -> None:
    campaign_id = await leads.stored(rows)

    content = await leads.exported(campaign_id, ExportFormat.XLSX)
    again = await leads.imported(content, identify_file_kind("leads.xlsx", content))

    assert await leads.read(again) == await leads.read(campaign_id)


async def test_a_text_that_a_spreadsheet_would_run_is_marked(leads: Leads) -> None:
    content = await leads.exported(await leads.stored([DANGEROUS]), ExportFormat.CSV)

    header, row = content.decode("utf-8-sig").split("\n", 1)
    cells = dict(zip(header.split(","), row.split(","), strict=False))
    assert cells["first_name"] == "'=1+1"
    assert cells["last_name"] == "''=1+1"
    assert cells["company_name"] == "'''@x"
    assert cells["phone"] == "+14155550100"


@pytest.mark.parametrize(
    ("phone", "cell"),
    [("+14155550100", "+14155550100"), ("=1+1", "'=1+1"), ("+1+1", "'+1+1"), ("+1-A1", "'+1-A1"), ("415", "415")],
)
async def test_only_a_number_may_begin_with_a_plus(leads: Leads, phone: str, cell: str) -> None:
    content = await leads.exported(await leads.stored([{**PLAIN, "phone": phone}]), ExportFormat.CSV)

    assert content.decode("utf-8-sig").splitlines()[1].split(",")[2] == cell
