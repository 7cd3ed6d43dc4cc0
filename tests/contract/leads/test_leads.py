"""Leads and import jobs, as they are read."""

import pytest

from tests.contract.leads.refusals import GOOD_FILE
from tests.fixtures.gateway import Caller, csv_of, many_leads, phone_number

LARGEST_ID = 2**63 - 1

DOCUMENTED_FIELDS = {
    "id", "campaign_id", "first_name", "last_name", "phone", "alternate_phone", "email", "company_name",
    "job_title", "industry", "status", "priority", "best_time_to_call", "timezone", "preferred_language",
    "country", "state", "city", "address", "postal_code", "source", "source_details", "annual_revenue",
    "company_size", "lead_score", "interest_level", "pain_points", "requirements", "custom_fields", "assigned_to",
    "notes", "tags", "last_contact_date", "next_contact_date", "company_id", "created_at", "updated_at",
}  # fmt: skip


async def test_a_lead_has_every_documented_field(caller: Caller) -> None:
    [lead] = await caller.imported(GOOD_FILE, await caller.create_campaign())

    assert set(lead) >= DOCUMENTED_FIELDS


@pytest.mark.parametrize("lead_id", [LARGEST_ID, 999_999_999_999])
async def test_an_unknown_lead_is_not_found(caller: Caller, lead_id: int) -> None:
    response = await caller.get(f"/api/voice-leads/{lead_id}")

    assert response.status_code == 404
    assert response.json() == {"message": "Voice lead not found", "error": "Voice lead not found"}


@pytest.mark.parametrize("lead_id", ["abc", "0", "-1", LARGEST_ID + 1, "1.5"])
async def test_an_id_that_is_none_is_refused(caller: Caller, lead_id: str | int) -> None:
    response = await caller.get(f"/api/voice-leads/{lead_id}")

    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == "id"


async def test_an_unknown_import_is_not_found(caller: Caller) -> None:
    response = await caller.get(f"{caller.import_path}s/{LARGEST_ID}")

    assert response.status_code == 404
    assert response.json() == {"message": "Import not found", "error": "Import not found"}


async def test_the_import_of_another_company_is_not_found(caller: Caller, stranger: Caller) -> None:
    [lead] = await caller.imported(GOOD_FILE, await caller.create_campaign())

    assert (await caller.get(f"{caller.import_path}s/{lead['import_id']}")).status_code == 200
    assert (await stranger.get(f"{stranger.import_path}s/{lead['import_id']}")).status_code == 404


async def test_filters_narrow_the_list_together(caller: Caller) -> None:
    first, second = await caller.create_campaign(), await caller.create_campaign()
    for campaign in (first, second):
        rows = [
            {"phone": phone_number(number), "status": status, "assigned_to": agent}
            for number, (status, agent) in enumerate([("pending", 1), ("failed", 1), ("pending", 2), ("pending", "")])
        ]
        await caller.imported(csv_of(rows), campaign)

    async def found(**filters: str | int) -> list[tuple[int, str, int | None]]:
        leads = await caller.leads(**filters)
        return [(lead["campaign_id"], lead["status"], lead["assigned_to"]) for lead in leads]

    assert len(await found()) == 8
    assert await found(campaign_id=first, status="pending", assigned_to=1) == [(first, "pending", 1)]
    assert await found(status="failed") == [(first, "failed", 1), (second, "failed", 1)]
    assert await found(assigned_to=2) == [(first, "pending", 2), (second, "pending", 2)]
    assert await found(campaign_id=second, assigned_to=1) == [(second, "pending", 1), (second, "failed", 1)]
    assert await found(status="blacklisted") == []
    assert await found(campaign_id=LARGEST_ID) == []


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("campaign_id", "abc"),
        ("campaign_id", "0"),
        ("campaign_id", "-1"),
        ("campaign_id", str(LARGEST_ID + 1)),
        ("campaign_id", "1,2"),
        ("status", "running"),
        ("status", "Pending'--"),
        ("assigned_to", "me"),
        ("assigned_to", "1.5"),
    ],
)
async def test_a_filter_that_cannot_be_is_refused_by_name(caller: Caller, parameter: str, value: str) -> None:
    response = await caller.get(f"/api/voice-leads/company/{caller.company_id}", **{parameter: value})

    assert response.status_code == 400
    body = response.json()
    assert body["error"].startswith(f"{parameter}: ")
    assert [(fault["field"], fault["value"]) for fault in body["errors"]] == [(parameter, value)]


async def test_a_long_list_is_complete(caller: Caller) -> None:
    campaign_id = await caller.create_campaign()
    for start in range(0, 2500, 1000):
        count = min(1000, 2500 - start)
        rows = [{"phone": phone_number(start + number), "notes": 'ü"\n' * 50} for number in range(count)]
        await caller.imported(csv_of(rows), campaign_id)

    leads = await caller.leads()

    assert [lead["phone"] for lead in leads] == [phone_number(number) for number in range(2500)]
    assert {lead["notes"] for lead in leads} == {('ü"\n' * 50).strip()}


async def test_no_leads_are_an_empty_list(caller: Caller) -> None:
    assert await caller.leads() == []


async def test_leads_are_listed_in_the_order_they_came(caller: Caller) -> None:
    campaigns = [await caller.create_campaign() for _ in range(2)]
    imported = []
    for number in range(6):
        imported += await caller.imported(many_leads(2), campaigns[number % 2])

    assert await caller.leads() == imported


@pytest.mark.parametrize(
    "preference", ["respond-async", "Respond-Async", "wait=10, respond-async", "respond-async; x=1"]
)
async def test_the_preference_for_an_asynchronous_answer(caller: Caller, preference: str) -> None:
    response = await caller.gateway.http.post(
        caller.import_path,
        files={"file": ("leads.csv", GOOD_FILE)},
        data={"campaign_id": str(await caller.create_campaign())},
        headers=caller.headers | {"Prefer": preference},
    )

    assert response.status_code == 202
    assert response.headers["Preference-Applied"] == "respond-async"
    assert (await caller.ended_job(response.headers["Location"]))["status"] == "completed"


@pytest.mark.parametrize("preference", ["return=minimal", "wait=10", "no-respond-async"])
async def test_other_preferences_change_nothing(caller: Caller, preference: str) -> None:
    response = await caller.gateway.http.post(
        caller.import_path,
        files={"file": ("leads.csv", GOOD_FILE)},
        data={"campaign_id": str(await caller.create_campaign())},
        headers=caller.headers | {"Prefer": preference},
    )

    assert response.status_code == 201
    assert "Preference-Applied" not in response.headers


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("Kunden März 🎉.csv", "Kunden März 🎉.csv"),
        ("C:\\Users\\me\\leads.csv", "leads.csv"),
        ("../../etc/leads.csv", "leads.csv"),
        ('a "quoted"; name.csv', 'a "quoted"; name.csv'),
        ("n" * 300 + ".csv", "n" * 251 + ".csv"),
    ],
)
async def test_a_job_shows_the_name_of_its_file(caller: Caller, sent: str, shown: str) -> None:
    campaign_id = await caller.create_campaign()

    response = await caller.import_file(GOOD_FILE, campaign_id, filename=sent, respond_async=True)

    assert response.status_code == 202, response.text
    assert response.json()["data"]["filename"] == shown


@pytest.mark.parametrize("company", ["0", "-1", "abc", str(LARGEST_ID + 1)])
async def test_a_company_that_is_none_is_refused(caller: Caller, company: str) -> None:
    for path in (f"/api/voice-leads/company/{company}", f"/api/company/voice-leads/company/{company}/imports/1"):
        response = await caller.get(path)
        assert response.status_code == 400
        assert response.json()["errors"][0]["field"] == "companyId"


@pytest.mark.parametrize("charset", ["utf-16", "hex", "no-such-charset", "utf-7"])
async def test_the_charset_that_a_form_claims_does_no_harm(caller: Caller, charset: str) -> None:
    campaign_id = await caller.create_campaign()
    body = (
        (
            f'--x\r\nContent-Disposition: form-data; name="campaign_id"\r\n\r\n{campaign_id}\r\n'
            '--x\r\nContent-Disposition: form-data; name="file"; filename="leads.csv"\r\n\r\n'
        ).encode()
        + GOOD_FILE
        + b"\r\n--x--\r\n"
    )
    headers = caller.headers | {"Content-Type": f"multipart/form-data; boundary=x; charset={charset}"}

    response = await caller.gateway.http.post(caller.import_path, content=body, headers=headers)

    assert response.status_code in {201, 400}
