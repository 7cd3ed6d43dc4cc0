"""Import jobs: list, failed rows, template, events and undo."""

import asyncio
import csv
import io
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import fastexcel
import httpx
import pytest

from tests.fixtures.gateway import Caller, csv_of, many_leads, phone_number
from tests.fixtures.lead_imports import post_file, post_json
from tests.fixtures.waiting import DEADLINE_SECONDS, eventually

PHONE = "+14155550100"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
NOT_FOUND = {"message": "Import not found", "error": "Import not found"}
NO_ROWS = {
    "message": "Failed rows not found",
    "error": "No row of this import failed, or it ended more than 7 days ago",
}
INVALID_FILE = 'phone,First Name,email,Größe\n12,Zoë,,"a ""b"", c"\n4155550100,Good,,\n,=1+1,no-address,\n'


def jobs_path(caller: Caller) -> str:
    """Path of the company's imports."""
    return f"{caller.import_path}s"


async def failed(caller: Caller, content: str = INVALID_FILE, **options: Any) -> int:
    """Import a file with errors; return the id of the job."""
    response = await post_file(caller, content, await caller.create_campaign(), respond_async=True, **options)
    assert response.status_code == 202, response.text
    await caller.ended_job(response.headers["Location"])
    import_id: int = response.json()["data"]["id"]
    return import_id


def rows_of_csv(content: bytes) -> list[list[str]]:
    """The cells of a CSV file."""
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def rows_of_workbook(content: bytes) -> list[list[str]]:
    """The cells of an Excel file."""
    sheet = fastexcel.read_excel(content).load_sheet(0, header_row=None, dtypes="string")
    return [[cell or "" for cell in row] for row in sheet.to_polars().rows()]


class TestHistory:
    """`GET …/imports`"""

    async def test_the_list_is_empty_without_imports(self, caller: Caller) -> None:
        response = await caller.get(jobs_path(caller))

        assert (response.status_code, response.json()) == (200, {"data": []})
        assert "Link" not in response.headers

    async def test_jobs_come_newest_first_without_their_errors(self, caller: Caller) -> None:
        ids = [await failed(caller), await failed(caller, many_leads(2))]

        jobs = (await caller.get(jobs_path(caller))).json()["data"]

        assert [(job["id"], job["status"], job["row_count"], job["error_count"]) for job in jobs] == [
            (ids[1], "completed", 2, 0),
            (ids[0], "failed", 3, 3),
        ]
        whole = (await caller.get(f"{jobs_path(caller)}/{ids[0]}")).json()
        assert jobs[1] == {name: value for name, value in whole.items() if name != "errors"}

    async def test_links_lead_through_all_pages_while_new_jobs_come(self, caller: Caller) -> None:
        ids = [await failed(caller, many_leads(1)) for _ in range(5)]

        pages = []
        path: str | None = f"{jobs_path(caller)}?limit=2"
        while path is not None:
            response = await caller.get(path)
            pages.append([job["id"] for job in response.json()["data"]])
            link = response.headers.get("Link")
            following = re.fullmatch(r'<(/api/[^>]+)>; rel="next"', link) if link else None
            path = following[1] if following else None
            await failed(caller, many_leads(1))

        assert pages == [[ids[4], ids[3]], [ids[2], ids[1]], [ids[0]]]

    @pytest.mark.parametrize(
        ("parameter", "value"), [("limit", "0"), ("limit", "201"), ("limit", "x"), ("cursor", "0"), ("cursor", "a")]
    )
    async def test_an_invalid_limit_or_cursor_is_rejected(self, caller: Caller, parameter: str, value: str) -> None:
        response = await caller.get(jobs_path(caller), **{parameter: value})

        assert response.status_code == 400
        assert response.json()["errors"][0]["field"] == parameter


class TestErrors:
    """`GET …/imports/{id}/errors`"""

    EXPECTED = (
        ["phone", "First Name", "email", "Größe", "errors"],
        ["12", "Zoë", "", 'a "b", c', "phone: Invalid phone number format: 12"],
        ["", "=1+1", "no-address", "", "phone: Missing required fields: phone; email: Invalid email format"],
    )

    async def test_as_json(self, caller: Caller) -> None:
        import_id = await failed(caller)

        response = await caller.get(f"{jobs_path(caller)}/{import_id}/errors")

        job = (await caller.get(f"{jobs_path(caller)}/{import_id}")).json()
        assert response.json() == {"import_id": import_id, "error_count": 3, "errors": job["errors"]}
        assert [error["row"] for error in job["errors"]] == [2, 4, 4]

    async def test_an_import_without_errors_has_none(self, caller: Caller) -> None:
        import_id = await failed(caller, many_leads(1))

        assert (await caller.get(f"{jobs_path(caller)}/{import_id}/errors")).json()["errors"] == []
        for kind in ("csv", "xlsx"):
            response = await caller.get(f"{jobs_path(caller)}/{import_id}/errors", format=kind)
            assert (response.status_code, response.json()) == (404, NO_ROWS)

    async def test_as_csv(self, caller: Caller) -> None:
        import_id = await failed(caller)

        response = await caller.get(f"{jobs_path(caller)}/{import_id}/errors", format="csv")

        assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert response.headers["Content-Disposition"] == f'attachment; filename="import-{import_id}-errors.csv"'
        header, first, second = self.EXPECTED
        assert rows_of_csv(response.content) == [header, first, [*second[:1], "'=1+1", *second[2:]]]

    async def test_as_a_workbook(self, caller: Caller) -> None:
        import_id = await failed(caller)

        response = await caller.get(f"{jobs_path(caller)}/{import_id}/errors", format="xlsx")

        assert response.headers["Content-Type"] == XLSX
        assert rows_of_workbook(response.content) == list(self.EXPECTED)

    @pytest.mark.parametrize(
        ("accept", "content_type"),
        [
            ("text/csv", "text/csv; charset=utf-8"),
            (f"text/html, {XLSX};q=0.9", XLSX),
            ("application/json, text/csv", "application/json"),
            ("*/*", "application/json"),
        ],
    )
    async def test_accept_selects_the_format(self, caller: Caller, accept: str, content_type: str) -> None:
        path = f"{jobs_path(caller)}/{await failed(caller)}/errors"

        response = await caller.gateway.http.get(path, headers=caller.headers | {"Accept": accept})

        assert (response.status_code, response.headers["Content-Type"]) == (200, content_type)

    @pytest.mark.parametrize("kind", ["csv", "xlsx"])
    async def test_corrected_failed_rows_can_be_imported_as_they_are(self, caller: Caller, kind: str) -> None:
        campaign_id = await caller.create_campaign()
        content = csv_of(
            [
                {"phone": "12", "first_name": "=Jo", "notes": "a\nb", "x": "'=y"},
                {"phone": PHONE, "first_name": "Good", "notes": "", "x": ""},
                {"phone": "13", "first_name": "Al", "notes": "", "x": "-"},
            ]
        )
        response = await post_file(caller, content, campaign_id, on_error="skip")
        path = f"{response.headers['Location']}/errors"
        failed_rows = (await caller.get(path, format=kind)).content
        again = await post_file(caller, failed_rows, campaign_id, filename=f"rows.{kind}", on_error="skip")
        assert again.status_code == 400  # not corrected yet

        numbered = {"12": "4155550112", "13": "4155550113"}
        rows = rows_of_csv(failed_rows) if kind == "csv" else rows_of_workbook(failed_rows)
        # An apostrophe before a formula belongs to the file: "'=y" is read as "=y" and written as "'=y".
        corrected = [[numbered.get(cell, cell) for cell in row] for row in rows]
        text = io.StringIO(newline="")
        csv.writer(text).writerows(corrected)
        leads = (await post_file(caller, text.getvalue(), campaign_id)).json()["leads"]

        assert [(lead["phone"], lead["first_name"], lead["notes"], lead["custom_fields"]) for lead in leads] == [
            ("+14155550112", "=Jo", "a\nb", {"x": "=y"}),
            ("+14155550113", "Al", None, {"x": "-"}),
        ]

    async def test_all_failed_rows_are_returned_beyond_a_thousand_errors(self, caller: Caller) -> None:
        content = csv_of([{"phone": str(number), "email": "no-address"} for number in range(1500)])
        import_id = await failed(caller, content)

        job = (await caller.get(f"{jobs_path(caller)}/{import_id}/errors")).json()
        rows = rows_of_csv((await caller.get(f"{jobs_path(caller)}/{import_id}/errors", format="csv")).content)

        assert (job["error_count"], len(job["errors"])) == (3000, 1000)
        assert rows[1:] == [
            [str(number), "no-address", f"phone: Invalid phone number format: {number}; email: Invalid email format"]
            for number in range(1500)
        ]

    async def test_failed_json_leads_are_returned_as_rows(self, caller: Caller) -> None:
        leads = [{"phone": "12", "tags": ["a", "b"]}, {"phone": PHONE, "lead_score": 101}]
        response = await post_json(caller, {"campaign_id": await caller.create_campaign(), "leads": leads})

        rows = rows_of_csv((await caller.get(f"{response.headers['Location']}/errors", format="csv")).content)

        assert rows == [
            ["phone", "tags", "lead_score", "errors"],
            ["12", '["a","b"]', "", "phone: Invalid phone number format: 12"],
            [PHONE, "", "101", "lead_score: Lead score must be between 0 and 100"],
        ]


class TestTemplate:
    """`GET …/imports/template`"""

    @pytest.mark.parametrize("kind", ["csv", "xlsx"])
    async def test_the_template_can_be_imported_as_it_is(self, caller: Caller, kind: str) -> None:
        response = await caller.get(f"{jobs_path(caller)}/template", format=kind)

        assert response.status_code == 200
        assert response.headers["Content-Disposition"] == f'attachment; filename="lead-import-template.{kind}"'
        header, _example = (rows_of_csv if kind == "csv" else rows_of_workbook)(response.content)
        assert set(header) == {
            "phone", "first_name", "last_name", "email", "company_name", "job_title", "industry", "priority",
            "best_time_to_call", "timezone", "preferred_language", "country", "state", "city", "address", "postal_code",
            "source", "source_details", "annual_revenue", "company_size", "lead_score", "interest_level", "notes",
            "tags",
        }  # fmt: skip
        [lead] = await caller.imported(response.content, await caller.create_campaign(), filename=f"t.{kind}")
        assert (lead["phone"], lead["annual_revenue"], lead["tags"]) == (PHONE, 5000000, ["enterprise", "high-value"])
        assert None not in {lead[name] for name in set(header) - {"tags"}}

    async def test_the_default_format_is_csv(self, caller: Caller) -> None:
        response = await caller.get(f"{jobs_path(caller)}/template")

        assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert (await caller.get(f"{jobs_path(caller)}/template", format="pdf")).status_code == 400


@asynccontextmanager
async def events_of(caller: Caller, path: str) -> AsyncIterator[tuple[httpx.Response, AsyncIterator[dict[str, Any]]]]:
    """An open stream of events, as an iterator of its events."""

    async def read(response: httpx.Response) -> AsyncIterator[dict[str, Any]]:
        event: dict[str, Any] = {}
        async for line in response.aiter_lines():
            name, _, value = line.partition(": ")
            if not line and event:
                yield event
                event = {}
            elif name == "data":
                event["data"] = json.loads(value)
            elif name:
                event[name] = value

    async with caller.gateway.http.stream("GET", path, headers=caller.headers, timeout=DEADLINE_SECONDS) as response:
        yield response, read(response)


class TestEvents:
    """`GET …/imports/{id}/events`"""

    async def test_the_stream_closes_after_the_end_of_the_job(self, caller: Caller) -> None:
        response = await post_file(caller, many_leads(20_000), await caller.create_campaign(), respond_async=True)
        location = response.headers["Location"]

        async with events_of(caller, f"{location}/events") as (stream, events):
            assert stream.status_code == 200
            assert stream.headers["Content-Type"].startswith("text/event-stream")
            assert stream.headers["Cache-Control"] == "no-cache"
            received = [event async for event in events]

        *progress, end = received
        assert {event["event"] for event in progress} <= {"progress"}
        assert end["event"] == "end"
        assert end["data"] == (await caller.get(location)).json()
        done = [event["data"]["progress"]["rows_done"] for event in received]
        assert (done == sorted(done), done[-1]) == (True, 20_000)

    async def test_an_ended_job_has_one_event(self, caller: Caller) -> None:
        import_id = await failed(caller)

        async with events_of(caller, f"{jobs_path(caller)}/{import_id}/events") as (_, events):
            received = [event async for event in events]

        assert [(event["event"], event["data"]["status"]) for event in received] == [("end", "failed")]


class TestUndo:
    """`DELETE …/imports/{id}`"""

    async def undo(self, caller: Caller, import_id: int) -> httpx.Response:
        return await caller.gateway.http.delete(f"{jobs_path(caller)}/{import_id}", headers=caller.headers)

    async def test_undo_deletes_unchanged_leads_and_lists_the_changed_ones(self, caller: Caller) -> None:
        campaign_id = await caller.create_campaign()
        before = await caller.imported(many_leads(2), campaign_id)
        leads = await caller.imported(many_leads(4), campaign_id)
        import_id, touched = leads[0]["import_id"], leads[2]
        # Updated by another import, so the lead has version 2.
        content = csv_of([{"phone": phone_number(2), "city": "Rome"}])
        updated = await post_file(caller, content, campaign_id, on_duplicate="update")
        assert updated.json()["updated_count"] == 1

        response = await self.undo(caller, import_id)

        assert (response.status_code, response.json()) == (
            200,
            {
                "message": "Lead import undone",
                "deleted_count": 3,
                "kept_count": 1,
                "kept_lead_ids": [touched["id"]],
            },
        )
        assert [lead["id"] for lead in await caller.leads()] == [*(lead["id"] for lead in before), touched["id"]]
        job = (await caller.get(f"{jobs_path(caller)}/{import_id}")).json()
        assert (job["status"], job["imported_count"]) == ("undone", 4)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", job["undone_at"])

        again = await self.undo(caller, import_id)
        assert (again.status_code, again.json()["deleted_count"], again.json()["kept_lead_ids"]) == (
            200,
            0,
            [touched["id"]],
        )

        async def emitted() -> bool:
            campaigns = (await caller.get(f"/api/voice-campaigns/company/{caller.company_id}")).json()["data"]
            return bool(campaigns[0]["total_leads"] == 3)

        await eventually(emitted)

    async def test_concurrent_undos_delete_once(self, caller: Caller) -> None:
        [lead, *_] = await caller.imported(many_leads(20), await caller.create_campaign())

        responses = await asyncio.gather(*(self.undo(caller, lead["import_id"]) for _ in range(6)))

        assert {response.status_code for response in responses} == {200}, [response.text for response in responses]
        assert sorted(response.json()["deleted_count"] for response in responses) == [0, 0, 0, 0, 0, 20]

    @pytest.mark.parametrize(
        ("content", "options"),
        [
            pytest.param("phone\n12\n", {}, id="failed"),
            pytest.param(f"phone\n{PHONE}\n", {"dry_run": "true"}, id="a dry run"),
        ],
    )
    async def test_an_import_that_created_nothing_cannot_be_undone(
        self, caller: Caller, content: str, options: dict[str, str]
    ) -> None:
        import_id = await failed(caller, content, **options)

        response = await self.undo(caller, import_id)

        assert (response.status_code, response.json()) == (
            409,
            {"message": "Import cannot be undone", "error": "The import did not create any leads"},
        )


ENDPOINTS = [("GET", ""), ("GET", "/errors"), ("GET", "/errors?format=csv"), ("GET", "/events"), ("DELETE", "")]


class TestIsolation:
    """A job is visible to its own company only."""

    @pytest.mark.parametrize(("method", "end"), ENDPOINTS)
    async def test_a_job_is_visible_to_its_company_only(
        self, caller: Caller, stranger: Caller, method: str, end: str
    ) -> None:
        import_id = await failed(caller, on_error="skip")
        http, own = caller.gateway.http, f"{jobs_path(caller)}/{import_id}{end}"

        without = await http.request(method, own)
        assert (without.status_code, without.json()["message"]) == (401, "Authentication required")
        theirs = await http.request(method, own, headers=stranger.headers)
        assert (theirs.status_code, theirs.json()["message"]) == (403, "Access denied")
        elsewhere = await http.request(method, f"{jobs_path(stranger)}/{import_id}{end}", headers=stranger.headers)
        assert (elsewhere.status_code, elsewhere.json()) == (404, NOT_FOUND)
        both = caller.gateway.headers(caller.company_id, stranger.company_id)
        elsewhere = await http.request(method, f"{jobs_path(stranger)}/{import_id}{end}", headers=both)
        assert (elsewhere.status_code, elsewhere.json()) == (404, NOT_FOUND)
        assert len(await caller.leads()) == 1
        assert (await http.request(method, own, headers=caller.headers)).status_code == 200

    @pytest.mark.parametrize(("method", "path"), [("POST", "-json"), ("POST", ""), ("GET", "s"), ("GET", "s/template")])
    async def test_a_token_of_another_company_is_rejected(
        self, caller: Caller, stranger: Caller, method: str, path: str
    ) -> None:
        import_id = await failed(caller)
        http, own = caller.gateway.http, f"{caller.import_path}{path}"

        assert (await http.request(method, own)).status_code == 401
        assert (await http.request(method, own, headers=stranger.headers)).status_code == 403
        listed = (await stranger.get(jobs_path(stranger))).json()["data"]
        assert import_id not in {job["id"] for job in listed}

    @pytest.mark.parametrize("import_id", ["0", "-1", "abc", str(2**63)])
    @pytest.mark.parametrize(("method", "end"), ENDPOINTS)
    async def test_an_invalid_id_is_rejected(self, caller: Caller, method: str, end: str, import_id: str) -> None:
        path = f"{jobs_path(caller)}/{import_id}{end}"

        response = await caller.gateway.http.request(method, path, headers=caller.headers)

        assert response.status_code == 400
        assert response.json()["errors"][0]["field"] == "importId"

    @pytest.mark.parametrize(("method", "end"), ENDPOINTS)
    async def test_an_unknown_job_is_not_found(self, caller: Caller, method: str, end: str) -> None:
        path = f"{jobs_path(caller)}/{2**63 - 1}{end}"

        response = await caller.gateway.http.request(method, path, headers=caller.headers)

        assert (response.status_code, response.json()) == (404, NOT_FOUND)
