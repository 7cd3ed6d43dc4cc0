"""The options of an import; their defaults are the contract's behaviour."""

from typing import Any

import pytest

from tests.contract.leads.rejections import rejected
from tests.fixtures.gateway import Caller, csv_of, many_leads, phone_number
from tests.fixtures.lead_imports import json_imported, post_file, post_json, reported_errors

PHONE, OTHER = "+14155550100", "+14155550101"
COUNTS = ("imported_count", "updated_count", "skipped_count", "error_count")


async def imported(caller: Caller, content: str, campaign_id: int, **options: Any) -> dict[str, Any]:
    """The response to an import with options, which must succeed."""
    response = await post_file(caller, content, campaign_id, **options)
    assert response.status_code == 201, response.text
    body: dict[str, Any] = response.json()
    return body


async def job_of(caller: Caller) -> dict[str, Any]:
    """The company's newest job."""
    newest = (await caller.get(f"{caller.import_path}s", limit=1)).json()["data"][0]
    job: dict[str, Any] = (await caller.get(f"{caller.import_path}s/{newest['id']}")).json()
    return job


def counts_of(job: dict[str, Any]) -> tuple[int, ...]:
    """Leads created, leads updated, rows skipped, errors."""
    return tuple(job[name] for name in COUNTS)


@pytest.mark.parametrize(
    ("option", "value", "error"),
    [
        ("on_error", "ignore", "on_error must be abort or skip"),
        ("on_duplicate", "replace", "on_duplicate must be create, skip, update or error"),
        ("column_map", "[]", "column_map must be a JSON object of headers and fields"),
    ],
)
async def test_an_invalid_option_is_rejected(caller: Caller, option: str, value: str, error: str) -> None:
    options: dict[str, Any] = {option: value}

    rejected(await post_file(caller, many_leads(1), await caller.create_campaign(), **options), error)


async def test_an_unknown_option_is_rejected(caller: Caller) -> None:
    unknown: dict[str, Any] = {"dryrun": "true", "on-error": "skip"}

    response = await post_file(caller, many_leads(1), await caller.create_campaign(), **unknown)

    rejected(response, "Unknown field: dryrun")
    assert [(row_error["row"], row_error["field"]) for row_error in response.json()["errors"]] == [
        (None, "dryrun"),
        (None, "on-error"),
    ]
    assert await caller.leads() == []


async def test_a_repeated_option_is_rejected(caller: Caller) -> None:
    campaign_id = str(await caller.create_campaign())

    response = await caller.gateway.http.post(
        caller.import_path,
        files={"file": ("leads.csv", many_leads(1).encode())},
        data={"campaign_id": campaign_id, "dry_run": ["true", "false"]},
        headers=caller.headers,
    )

    rejected(response, "Given more than once: dry_run")
    assert await caller.leads() == []


@pytest.mark.parametrize("end", ["", "-json"])
async def test_an_option_in_the_query_is_rejected(caller: Caller, end: str) -> None:
    campaign_id = await caller.create_campaign()
    body: dict[str, Any] = {"json": {"campaign_id": campaign_id, "leads": [{"phone": PHONE}]}}
    if not end:
        body = {"files": {"file": ("leads.csv", many_leads(1).encode())}, "data": {"campaign_id": str(campaign_id)}}

    response = await caller.gateway.http.post(f"{caller.import_path}{end}?dry_run=true", headers=caller.headers, **body)

    rejected(response, "An import has no parameters in its query: dry_run")
    assert await caller.leads() == []


async def test_blank_options_have_their_defaults(caller: Caller) -> None:
    blank = dict.fromkeys(("on_error", "on_duplicate", "dry_run", "column_map"), " ")

    body = await imported(caller, many_leads(2), await caller.create_campaign(), **blank)

    assert set(body) == {"message", "imported_count", "leads"}


class TestColumnMap:
    """`column_map`"""

    async def test_it_maps_headers_to_fields(self, caller: Caller) -> None:
        content = "Rufnummer,Kundenname,Ort\n4155550100,Müller,Köln\n"
        column_map = {"Rufnummer": "phone", " kundenname": "last_name"}

        [lead] = (await imported(caller, content, await caller.create_campaign(), column_map=column_map))["leads"]

        assert (lead["phone"], lead["last_name"], lead["custom_fields"]) == (PHONE, "Müller", {"Ort": "Köln"})
        assert (await job_of(caller))["column_map"] == column_map

    async def test_it_takes_precedence_over_the_usual_meaning_of_headers(self, caller: Caller) -> None:
        content = "phone,mobile\n4155550100,4155550101\n"

        [lead] = (await imported(caller, content, await caller.create_campaign(), column_map={"mobile": "phone"}))[
            "leads"
        ]

        assert (lead["phone"], lead["custom_fields"]) == (OTHER, {"phone": "4155550100"})

    async def test_its_headers_and_fields_must_exist(self, caller: Caller) -> None:
        response = await post_file(
            caller,
            "phone\n12\n",
            await caller.create_campaign(),
            column_map={"phone": "telephone", "Ort": "city", "Land": "id"},
        )

        assert response.status_code == 400
        *column_map_errors, phone_error = reported_errors(response)
        assert sorted(column_map_errors) == [
            (None, "column_map.Land", 'column_map: no field of a lead is called "id"'),
            (None, "column_map.Land", 'column_map: the file has no column "Land"'),
            (None, "column_map.Ort", 'column_map: the file has no column "Ort"'),
            (None, "column_map.phone", 'column_map: no field of a lead is called "telephone"'),
        ]
        assert phone_error == (2, "phone", "Invalid phone number format: 12")

    async def test_two_columns_cannot_be_one_field(self, caller: Caller) -> None:
        response = await post_file(
            caller, "phone,a,b\n4155550100,x,y\n", await caller.create_campaign(), column_map={"a": "city", "b": "city"}
        )

        rejected(response, 'Columns B ("a") and C ("b") are the same field: city')


class TestOnError:
    """`on_error`"""

    CONTENT = csv_of(
        [
            {"phone": PHONE, "email": "", "lead_score": ""},
            {"phone": "12", "email": "no-address", "lead_score": ""},
            {"phone": OTHER, "email": "", "lead_score": "101"},
            {"phone": "4155550102", "email": "a@example.com", "lead_score": "5"},
        ]
    )
    ERRORS = (
        (3, "phone", "Invalid phone number format: 12"),
        (3, "email", "Invalid email format"),
        (4, "lead_score", "Lead score must be between 0 and 100"),
    )

    async def test_skip_skips_and_reports_rows_with_errors(self, caller: Caller) -> None:
        response = await post_file(caller, self.CONTENT, await caller.create_campaign(), on_error="skip")

        assert response.status_code == 201
        body = response.json()
        assert set(body) == {"message", "imported_count", "skipped_count", "errors", "leads"}
        assert (body["imported_count"], body["skipped_count"]) == (2, 2)
        assert [lead["phone"] for lead in body["leads"]] == [PHONE, "+14155550102"]
        assert reported_errors(response) == list(self.ERRORS)
        assert await caller.leads() == body["leads"]
        job = await job_of(caller)
        assert (job["status"], job["row_count"], job["error"]) == ("completed", 4, self.ERRORS[0][2])
        assert counts_of(job) == (2, 0, 2, 3)
        assert job["errors"] == body["errors"]

    async def test_abort_imports_nothing(self, caller: Caller) -> None:
        response = await post_file(caller, self.CONTENT, await caller.create_campaign(), on_error="abort")

        rejected(response, self.ERRORS[0][2])
        assert reported_errors(response) == list(self.ERRORS)
        assert await caller.leads() == []

    async def test_errors_of_the_whole_file_are_not_skipped(self, caller: Caller) -> None:
        campaign_id = await caller.create_campaign()

        response = await post_file(caller, self.CONTENT, campaign_id, on_error="skip", default_values={"priority": 9})

        assert reported_errors(response)[0] == (None, "default_values.priority", "Priority must be between 1 and 5")
        rejected(await post_file(caller, "a\nb\n", campaign_id, on_error="skip"), "Missing required fields: phone")
        assert await caller.leads() == []

    async def test_a_file_without_valid_rows_fails(self, caller: Caller) -> None:
        response = await post_file(caller, "phone\n12\n\n13\n", await caller.create_campaign(), on_error="skip")

        rejected(response, "No valid leads found in the file")
        assert [row for row, _, _ in reported_errors(response)] == [None, 2, 4]

    async def test_rows_with_too_many_cells_are_skipped(self, caller: Caller) -> None:
        content = "phone,city\n4155550100,Oslo\n4155550101,Rome,x\n,,y\n4155550102,Bern\n"

        body = await imported(caller, content, await caller.create_campaign(), on_error="skip")

        assert [lead["city"] for lead in body["leads"]] == ["Oslo", "Bern"]
        assert (body["skipped_count"], (await job_of(caller))["row_count"]) == (2, 4)

    async def test_json_leads_with_errors_are_skipped(self, caller: Caller) -> None:
        body = {"campaign_id": await caller.create_campaign(), "leads": [{"phone": PHONE}, {"shoe": 1}, 7]}

        response = await post_json(caller, body | {"on_error": "skip"})

        assert response.status_code == 201
        assert (response.json()["imported_count"], response.json()["skipped_count"]) == (1, 2)
        assert [field for _, field, _ in reported_errors(response)] == ["leads.1.shoe", "leads.1.phone", "leads.2"]


class TestOnDuplicate:
    """`on_duplicate`"""

    async def test_create_creates_a_lead_per_row(self, caller: Caller) -> None:
        campaign_id = await caller.create_campaign()
        for _ in range(2):
            body = await imported(caller, f"phone\n{PHONE}\n4155550100\n", campaign_id, on_duplicate="create")
            assert set(body) == {"message", "imported_count", "leads"}

        assert [lead["phone"] for lead in await caller.leads()] == [PHONE] * 4

    async def test_skip_skips_numbers_of_the_campaign_and_the_file(self, caller: Caller) -> None:
        campaign_id, other_campaign = await caller.create_campaign(), await caller.create_campaign()
        [stored] = await caller.imported(f"phone,city\n{PHONE},Oslo\n", campaign_id)
        await caller.imported(f"phone\n{OTHER}\n", other_campaign)
        content = "phone,city\n(415) 555-0100,Rome\n4155550101,Bern\n+14155550101,Paris\n4155550102,Riga\n"

        body = await imported(caller, content, campaign_id, on_duplicate="skip")

        assert set(body) == {"message", "imported_count", "skipped_count", "leads"}
        assert [(lead["phone"], lead["city"]) for lead in body["leads"]] == [(OTHER, "Bern"), ("+14155550102", "Riga")]
        assert counts_of(await job_of(caller)) == (2, 0, 2, 0)
        assert await caller.leads(campaign_id=campaign_id) == [stored, *body["leads"]]

        again = await imported(caller, content, campaign_id, on_duplicate="skip")
        assert (again["imported_count"], again["skipped_count"], again["leads"]) == (0, 4, [])

    async def test_error_reports_every_duplicate(self, caller: Caller) -> None:
        campaign_id = await caller.create_campaign()
        [stored] = await caller.imported(f"phone\n{PHONE}\n", campaign_id)
        content = "phone,email\n4155550100,\n4155550101,\n+14155550101,no-address\n"

        response = await post_file(caller, content, campaign_id, on_duplicate="error")

        assert response.status_code == 400
        assert reported_errors(response) == [
            (2, "phone", f"Phone number {PHONE} is already in the campaign, as lead {stored['id']}"),
            (4, "phone", f"Phone number {OTHER} is also in row 3"),
            (4, "email", "Invalid email format"),
        ]
        assert {row_error["code"] for row_error in response.json()["errors"]} == {"duplicate_phone", "invalid_email"}
        assert len(await caller.leads()) == 1

        response = await post_json(
            caller,
            {"campaign_id": campaign_id, "leads": [{"phone": OTHER}, {"phone": OTHER}], "on_duplicate": "error"},
        )
        assert reported_errors(response) == [(1, "leads.1.phone", f"Phone number {OTHER} is also in leads.0")]

    async def test_error_and_skip_together_import_the_first_valid_row(self, caller: Caller) -> None:
        content = f"phone,email\n{PHONE},no-address\n{PHONE},\n{PHONE},a@example.com\n"

        body = await imported(caller, content, await caller.create_campaign(), on_duplicate="error", on_error="skip")

        assert (body["imported_count"], body["skipped_count"]) == (1, 2)
        assert body["leads"][0]["email"] is None
        assert [(row_error["row"], row_error["code"]) for row_error in body["errors"]] == [
            (2, "invalid_email"),
            (4, "duplicate_phone"),
        ]

    async def test_update_writes_the_filled_cells(self, caller: Caller) -> None:
        campaign_id = await caller.create_campaign()
        before = {
            "phone": PHONE,
            "city": "Oslo",
            "first_name": "Jo",
            "priority": 1,
            "status": "failed",
            "tags": ["old"],
            "custom_fields": {"seats": 12, "colour": "red"},
            "pain_points": ["price"],
        }
        [stored] = await json_imported(caller, [before], campaign_id=campaign_id)
        content = csv_of(
            [
                {
                    "phone": "4155550100",
                    "city": "Rome",
                    "first_name": " ",
                    "priority": "",
                    "tags": "",
                    "colour": "blue",
                },
                {"phone": OTHER, "city": "Bern", "first_name": "", "priority": "2", "tags": "new", "colour": ""},
            ]
        )

        body = await imported(
            caller, content, campaign_id, on_duplicate="update", default_values={"source": "bulk", "first_name": "You"}
        )

        assert set(body) == {"message", "imported_count", "updated_count", "leads"}
        assert (body["imported_count"], body["updated_count"]) == (1, 1)
        assert counts_of(await job_of(caller)) == (1, 1, 0, 0)
        [created] = body["leads"]
        assert (created["phone"], created["first_name"], created["source"]) == (OTHER, "You", "bulk")
        updated = (await caller.get(f"/api/voice-leads/{stored['id']}")).json()
        assert updated["updated_at"] >= stored["updated_at"]
        assert updated | {"updated_at": None} == stored | {
            "city": "Rome",
            "custom_fields": {"seats": 12, "colour": "blue", "tags": ["old"]},
            "version": stored["version"] + 1,
            "updated_at": None,
        }

    async def test_update_writes_every_kind_of_value(self, caller: Caller) -> None:
        campaign_id = await caller.create_campaign()
        [stored] = await json_imported(caller, [{"phone": PHONE}], campaign_id=campaign_id)
        values = {
            "alternate_phone": OTHER,
            "email": "a@example.com",
            "status": "scheduled",
            "priority": 5,
            "best_time_to_call": "09:30:00",
            "timezone": "Europe/Oslo",
            "preferred_language": "nb-NO",
            "annual_revenue": 12.34,
            "lead_score": 0,
            "interest_level": "low",
            "pain_points": ["a", 'b"'],
            "requirements": [],
            "assigned_to": 77,
            "notes": "n\n'x\\",
        }

        response = await post_json(
            caller,
            {"campaign_id": campaign_id, "leads": [{"phone": PHONE, "tags": ["t"]} | values], "on_duplicate": "update"},
        )

        assert (response.status_code, response.json()["leads"]) == (201, [])
        updated = (await caller.get(f"/api/voice-leads/{stored['id']}")).json()
        assert {name: updated[name] for name in values} == values
        assert (updated["tags"], updated["version"]) == (["t"], 2)

    async def test_several_rows_with_one_number_become_one_lead(self, caller: Caller) -> None:
        content = "phone,city,notes,x\n4155550100,Oslo,,1\n4155550101,Bern,,\n+14155550100,,late,2\n4155550100,Rome,,\n"

        body = await imported(caller, content, await caller.create_campaign(), on_duplicate="update")

        assert [(lead["phone"], lead["city"], lead["notes"], lead["custom_fields"]) for lead in body["leads"]] == [
            (PHONE, "Rome", "late", {"x": "2"}),
            (OTHER, "Bern", None, {}),
        ]
        assert counts_of(await job_of(caller)) == (2, 0, 0, 0)

    async def test_update_respects_allowed_transitions(self, caller: Caller) -> None:
        campaign_id = await caller.create_campaign()
        await caller.imported(f"phone,status\n{PHONE},blacklisted\n{OTHER},pending\n", campaign_id)
        content = f"phone,status\n{PHONE},pending\n{OTHER},completed\n"

        response = await post_file(caller, content, campaign_id, on_duplicate="update")

        assert reported_errors(response) == [(2, "status", "Status cannot change from blacklisted to pending")]
        assert [lead["version"] for lead in await caller.leads()] == [1, 1]

    async def test_a_lead_with_a_final_status_has_no_next_contact(self, caller: Caller) -> None:
        campaign_id = await caller.create_campaign()
        numbers = (PHONE, OTHER)
        leads = await caller.imported("phone\n" + "\n".join(numbers), campaign_id)
        for lead in leads:
            time = {"scheduled_call_time": "2099-03-20T14:00:00Z"}
            path = f"/api/voice-leads/{lead['id']}/schedule"
            assert (await caller.gateway.http.patch(path, json=time, headers=caller.headers)).is_success
        content = f"phone,status,city\n{PHONE},completed,Oslo\n{OTHER},scheduled,Rome\n"

        await imported(caller, content, campaign_id, on_duplicate="update")

        stored = [(lead["city"], lead["next_contact_date"]) for lead in await caller.leads()]
        assert stored == [("Oslo", None), ("Rome", "2099-03-20T14:00:00Z")]

    async def test_of_several_stored_leads_the_oldest_is_updated(self, caller: Caller) -> None:
        campaign_id = await caller.create_campaign()
        first, second = await caller.imported(f"phone\n{PHONE}\n{PHONE}\n", campaign_id)

        await imported(caller, f"phone,city\n{PHONE},Rome\n", campaign_id, on_duplicate="update")

        assert [(lead["id"], lead["city"]) for lead in await caller.leads()] == [
            (first["id"], "Rome"),
            (second["id"], None),
        ]


class TestDryRun:
    """`dry_run`"""

    async def test_it_reports_the_result_and_writes_nothing(self, caller: Caller) -> None:
        campaign_id = await caller.create_campaign()
        [stored] = await caller.imported(f"phone\n{PHONE}\n", campaign_id)
        content = f"phone,city\n{PHONE},Rome\n{OTHER},Oslo\n12,\n"

        response = await post_file(caller, content, campaign_id, dry_run="true", on_error="skip", on_duplicate="update")

        assert response.status_code == 200
        body = response.json()
        assert body["message"] == "Dry run: the leads are valid, nothing was imported"
        assert (body["imported_count"], body["updated_count"], body["skipped_count"]) == (1, 1, 1)
        assert (body["leads"], reported_errors(response)) == ([], [(4, "phone", "Invalid phone number format: 12")])
        assert await caller.leads() == [stored]
        job = await job_of(caller)
        assert (job["status"], job["dry_run"], counts_of(job)) == ("completed", True, (1, 1, 1, 1))

    async def test_errors_are_the_same_as_without_it(self, caller: Caller) -> None:
        campaign_id = await caller.create_campaign()
        content = "phone,email\n12,no-address\n"

        tried = await post_file(caller, content, campaign_id, dry_run="true")
        done = await post_file(caller, content, campaign_id)

        assert (tried.status_code, tried.json()) == (done.status_code, done.json())

    async def test_json_has_dry_runs_too(self, caller: Caller) -> None:
        leads = [{"phone": phone_number(number)} for number in range(3)]

        response = await post_json(
            caller, {"campaign_id": await caller.create_campaign(), "leads": leads, "dry_run": True}
        )

        assert (response.status_code, response.json()["imported_count"]) == (200, 3)
        assert await caller.leads() == []
