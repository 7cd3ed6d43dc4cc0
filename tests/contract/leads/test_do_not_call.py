"""The do-not-call list: numbers that a company must not call, and what becomes of leads that have one."""

import re
from typing import Any

import httpx
import pytest

from shared.events.leads import LEADS_PER_EVENT, LeadCreated, LeadStatusChanged
from tests.fixtures.gateway import phone_number
from tests.fixtures.lead_files import workbook
from tests.fixtures.leads import LEAD_STATUSES, LeadCompany

NUMBER = "+14155552671"
ADDED = "Numbers added to the do-not-call list"
MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
MEGABYTE = 1024 * 1024
NOTHING: list[list[Any]] = [[], [], [], []]


def _path(company: LeadCompany) -> str:
    return f"{company.path}/do-not-call"


async def _add(company: LeadCompany, *phones: str, **fields: object) -> httpx.Response:
    return await company.send("POST", _path(company), {"phones": list(phones), **fields})


async def _get(company: LeadCompany, query: str = "") -> httpx.Response:
    return await company.send("GET", f"{_path(company)}{query}")


async def _take_off(company: LeadCompany, phone: str, **changes: Any) -> httpx.Response:
    path = f"{_path(company)}?{httpx.QueryParams({'phone': phone})}"
    return await company.send("DELETE", path, **changes)


async def _import(company: LeadCompany, content: bytes | str, filename: str = "numbers.csv") -> httpx.Response:
    file = (filename, content.encode() if isinstance(content, str) else content)
    return await company.api.client.post(f"{_path(company)}/import", files={"file": file}, headers=company.token())


def _added(response: httpx.Response, added: int, blacklisted: int) -> None:
    answer = {"message": ADDED, "added_count": added, "blacklisted_count": blacklisted}
    assert (response.status_code, response.json()) == (201, answer), response.text


# Adding


async def test_listed_numbers_have_reason_and_author(company: LeadCompany) -> None:
    assert (await _get(company)).json() == {"data": []}
    body = {"phones": [NUMBER, "+442079460958"], "reason": "Requested to stop"}
    _added(await company.send("POST", _path(company), body, sub="anna"), 2, 0)
    response = await _get(company)
    assert response.status_code == 200
    assert "Link" not in response.headers
    assert response.json().keys() == {"data"}
    for current in response.json()["data"]:
        assert current.keys() == {"phone", "reason", "added_by", "created_at"}
        assert (current["reason"], current["added_by"]) == ("Requested to stop", "anna")
        assert MOMENT.fullmatch(current["created_at"])
    assert {current["phone"] for current in response.json()["data"]} == set(body["phones"])


async def test_a_number_needs_no_reason(company: LeadCompany) -> None:
    _added(await _add(company, NUMBER), 1, 0)
    [current] = (await _get(company)).json()["data"]
    assert current["reason"] is None


async def test_every_lead_with_a_listed_number_is_blacklisted_and_emitted(
    company: LeadCompany, other_company: LeadCompany
) -> None:
    leads = [await company.create(phone=NUMBER, status=status) for status in LEAD_STATUSES[:-1]]
    bystander = await company.create(phone=phone_number(1))
    alternate = await company.create(phone=phone_number(2), alternate_phone=NUMBER)
    theirs = await other_company.create(phone=NUMBER)
    _added(await _add(company, NUMBER), 1, len(leads))
    for lead in leads:
        current = await company.read(lead)
        changes = {
            "status": "blacklisted",
            "next_contact_date": None,
            "version": 2,
            "updated_at": current["updated_at"],
        }
        assert current == lead | changes
    assert await company.read(bystander) == bystander
    assert await company.read(alternate) == alternate
    assert await other_company.read(theirs) == theirs
    emitted = [
        (lead.id, lead.version, lead.previous_status, lead.status)
        for event in await company.emitted_events()
        if isinstance(event, LeadStatusChanged)
        for lead in event.leads
    ]
    assert sorted(emitted) == [(lead["id"], 2, lead["status"], "blacklisted") for lead in leads]


async def test_a_number_that_is_listed_already_is_not_added_again(company: LeadCompany) -> None:
    await _add(company, NUMBER, reason="First")
    before = await company.stored()
    _added(await _add(company, NUMBER, reason="Second"), 0, 0)
    assert await company.stored() == before


async def test_one_number_written_in_several_ways_is_one(company: LeadCompany) -> None:
    _added(await _add(company, NUMBER, "(415) 555-2671", "4155552671", "14155552671", "+1 415 555 2671 ext 9"), 1, 0)
    assert await company.listed_numbers() == [NUMBER]


async def test_a_lead_created_later_with_a_listed_number_starts_blacklisted(
    company: LeadCompany, other_company: LeadCompany
) -> None:
    await _add(company, NUMBER)
    lead = await company.create(phone="(415) 555-2671", status="pending")
    assert (lead["status"], lead["version"]) == ("blacklisted", 1)
    [event] = await company.emitted_events()
    assert isinstance(event, LeadCreated)
    assert event.leads[0].status == "blacklisted"
    assert (await company.create(phone=phone_number(1)))["status"] == "pending"
    assert (await other_company.create(phone=NUMBER))["status"] == "pending"


async def test_a_lead_that_gets_a_listed_number_is_blacklisted(company: LeadCompany) -> None:
    await _add(company, NUMBER)
    lead = await company.create()
    response = await company.on_lead("PUT", lead, body=company.body(phone=NUMBER))
    assert response.status_code == 200, response.text
    assert (await company.read(lead))["status"] == "blacklisted"
    emitted = [event for event in await company.emitted_events() if isinstance(event, LeadStatusChanged)]
    assert [(change.leads[0].previous_status, change.leads[0].status) for change in emitted] == [
        ("pending", "blacklisted")
    ]


@pytest.mark.parametrize("way", ["status", "update", "bulk"])
async def test_blacklisting_one_lead_lists_its_number_and_blacklists_the_others(
    company: LeadCompany, other_company: LeadCompany, way: str
) -> None:
    lead, sibling = await company.create(phone=NUMBER), await company.create(phone=NUMBER, status="scheduled")
    theirs = await other_company.create(phone=NUMBER)
    if way == "status":
        response = await company.on_lead("PATCH", lead, "/status", {"status": "blacklisted"})
    elif way == "update":
        response = await company.on_lead("PUT", lead, body=company.body(phone=NUMBER, status="blacklisted"))
    else:
        body = {"lead_ids": [lead["id"]], "updates": {"status": "blacklisted"}}
        response = await company.send("PATCH", f"{company.path}/bulk-update", body)
    assert response.status_code == 200, response.text
    assert await company.listed_numbers() == [NUMBER]
    for one in (lead, sibling):
        assert ((await company.read(one))["status"], (await company.read(one))["version"]) == ("blacklisted", 2)
    assert await other_company.read(theirs) == theirs
    assert await other_company.listed_numbers() == []


@pytest.mark.parametrize("way", ["status", "bulk"])
async def test_blacklisting_a_blacklisted_lead_lists_its_number_again(company: LeadCompany, way: str) -> None:
    lead = await company.create(phone=NUMBER, status="blacklisted")
    assert (await _take_off(company, NUMBER)).status_code == 200
    newcomer = await company.create(phone=NUMBER)
    if way == "status":
        response = await company.on_lead("PATCH", lead, "/status", {"status": "blacklisted"})
    else:
        body = {"lead_ids": [lead["id"]], "updates": {"status": "blacklisted"}}
        response = await company.send("PATCH", f"{company.path}/bulk-update", body)
    assert response.status_code == 200, response.text
    assert await company.listed_numbers() == [NUMBER]
    assert await company.read(lead) == lead
    assert (await company.read(newcomer))["status"] == "blacklisted"


async def test_an_update_to_blacklisted_lists_the_new_number(company: LeadCompany) -> None:
    lead = await company.create()
    await company.on_lead("PUT", lead, body=company.body(phone=NUMBER, status="blacklisted"))
    assert await company.listed_numbers() == [NUMBER]


async def test_a_blacklisted_lead_that_gets_another_number_takes_it_onto_the_list(company: LeadCompany) -> None:
    lead = await company.create(status="blacklisted")
    await company.on_lead("PUT", lead, body=company.body(phone=NUMBER, status="blacklisted"))
    assert set(await company.listed_numbers()) == {lead["phone"], NUMBER}


async def test_events_of_many_leads_have_a_bounded_size(company: LeadCompany) -> None:
    count = 2 * LEADS_PER_EVENT + 1
    await company.api.rows(
        """
        INSERT INTO leads (company_id, campaign_id, phone, status, priority, timezone, preferred_language)
        SELECT $1, $2, $3, 'pending', 3, 'UTC', 'en-US' FROM generate_series(1, $4::int)
        """,
        company.id,
        company.campaign_id,
        NUMBER,
        count,
    )
    _added(await _add(company, NUMBER), 1, count)
    emitted = [event.leads for event in await company.emitted_events() if isinstance(event, LeadStatusChanged)]
    assert sorted(map(len, emitted)) == [1, LEADS_PER_EVENT, LEADS_PER_EVENT]
    assert len({lead.id for leads in emitted for lead in leads}) == count


async def test_a_thousand_numbers_are_added_at_once_and_no_more(company: LeadCompany) -> None:
    phones = [phone_number(number) for number in range(1001)]
    response = await _add(company, *phones)
    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == ["phones"]
    assert await company.stored() == NOTHING
    _added(await _add(company, *phones[:1000]), 1000, 0)


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, {"phones"}),
        ({"phones": None}, {"phones"}),
        ({"phones": []}, {"phones"}),
        ({"phones": NUMBER}, {"phones"}),
        ({"phones": [None]}, {"phones.0"}),
        ({"phones": [""]}, {"phones.0"}),
        ({"phones": [14155552671]}, {"phones.0"}),
        ({"phones": [NUMBER, "12", "call me"]}, {"phones.1", "phones.2"}),
        ({"phones": [NUMBER], "reason": 1}, {"reason"}),
        ({"phones": [NUMBER], "reason": "a\0b"}, {"reason"}),
        ({"phones": [NUMBER], "reason": "x" * 10_001}, {"reason"}),
        ({"phones": [NUMBER], "added_by": "me"}, {"added_by"}),
        ({"phones": ["12"], "reason": 1, "colour": "red"}, {"phones.0", "reason", "colour"}),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_a_body_that_cannot_be_is_refused_by_name(company: LeadCompany, body: object, named: set[str]) -> None:
    response = await company.send("POST", _path(company), body)
    assert response.status_code == 400, response.text
    assert {error["field"] for error in response.json()["errors"]} == named
    assert await company.stored() == NOTHING


async def test_a_number_that_is_none_is_refused_in_the_contracts_words(company: LeadCompany) -> None:
    response = await _add(company, "12")
    [error] = response.json()["errors"]
    assert (error["value"], error["message"]) == ("12", "Invalid phone number format: 12")


@pytest.mark.parametrize("value", [b'["\\ud800"]', b'["+1415555\\u0000"]', b"[99999999999999999999999]"])
async def test_a_number_that_programs_trip_over_is_refused(company: LeadCompany, value: bytes) -> None:
    response = await company.send("POST", _path(company), content=b'{"phones": ' + value + b"}")
    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == ["phones.0"]


async def test_a_reason_that_programs_trip_over_is_refused(company: LeadCompany) -> None:
    content = b'{"phones": ["+14155552671"], "reason": "\\ud800"}'
    response = await company.send("POST", _path(company), content=content)
    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == ["reason"]


# Importing


@pytest.mark.parametrize(
    ("filename", "content"),
    [
        ("numbers.csv", "phone\n+14155552671\n(415) 555-2671\n+442079460958\n"),
        ("numbers.csv", "Name;Phone\nAnna;+14155552671\nBen;+442079460958\n"),
        ("numbers.xlsx", "phone\n+14155552671\n+442079460958\n"),
        ("numbers.xlsx", workbook([["phone"], ["+14155552671"], ["+442079460958"]])),
        ("numbers.xlsx", workbook([["Phone"], [14155552671], [442079460958]])),
    ],
    ids=["csv", "csv with other columns", "csv named xlsx", "xlsx", "xlsx of numbers"],
)
async def test_a_file_is_imported(company: LeadCompany, filename: str, content: bytes | str) -> None:
    lead = await company.create(phone=NUMBER)
    _added(await _import(company, content, filename), 2, 1)
    assert set(await company.listed_numbers()) == {NUMBER, "+442079460958"}
    assert (await company.read(lead))["status"] == "blacklisted"


async def test_numbers_of_a_file_that_are_listed_already_are_not_counted(company: LeadCompany) -> None:
    await _add(company, NUMBER)
    _added(await _import(company, f"phone\n{NUMBER}\n+442079460958\n"), 1, 0)


async def test_every_bad_row_of_a_file_is_named_and_nothing_is_added(company: LeadCompany) -> None:
    lead = await company.create(phone=NUMBER)
    before = await company.stored()
    response = await _import(company, f"name,phone\nA,{NUMBER}\nB,12\nC,+442079460958\nD,call me\nE,\n")
    assert response.status_code == 400, response.text
    answer = response.json()
    assert answer.keys() == {"message", "error", "errors"}
    assert [(error["row"], error["field"], error["value"]) for error in answer["errors"][:2]] == [
        (3, "phone", "12"),
        (5, "phone", "call me"),
    ]
    assert [error["message"] for error in answer["errors"][:2]] == [
        "Invalid phone number format: 12",
        "Invalid phone number format: call me",
    ]
    assert [error["row"] for error in answer["errors"]] == [3, 5, 6]
    assert await company.stored() == before
    assert await company.read(lead) == lead


@pytest.mark.parametrize(
    ("filename", "content"),
    [
        ("numbers.csv", b""),
        ("numbers.csv", b"phone\n"),
        ("numbers.csv", b"name,colour\nA,red\n"),
        # Without a header the first number would be taken for one.
        ("numbers.csv", b"+14155552671\n+14155552672\n"),
        ("numbers.csv", b"(415) 555-2671\n(415) 555-2672\n"),
        ("numbers.csv", b"\x89PNG\r\n\x1a\n"),
        ("numbers.txt", b"phone\n+14155552671\n"),
        ("numbers.xlsx", b"PK\x03\x04 no workbook"),
    ],
)
async def test_a_file_without_numbers_is_refused(company: LeadCompany, filename: str, content: bytes) -> None:
    response = await _import(company, content, filename)
    assert response.status_code == 400, response.text
    assert response.json().keys() >= {"message", "error"}
    assert await company.stored() == NOTHING


async def test_a_file_may_have_a_megabyte_and_no_more(company: LeadCompany) -> None:
    whole = f"phone,x\n{NUMBER},".encode()
    largest = whole + b"x" * (MEGABYTE - len(whole))
    before = await company.stored()
    for larger in (largest + b"x", largest * 3):
        response = await _import(company, larger)
        assert response.status_code == 400
        assert response.json() == {"message": "Error importing numbers", "error": "File size exceeds 1MB limit"}
    assert await company.stored() == before
    _added(await _import(company, largest), 1, 0)


async def test_an_unknown_part_of_the_form_is_named(company: LeadCompany) -> None:
    response = await company.api.client.post(
        f"{company.path}/do-not-call/import",
        files={"file": ("numbers.csv", f"phone\n{NUMBER}\n".encode())},
        data={"reason": "parameters"},
        headers=company.token(),
    )
    assert (response.status_code, response.json()["error"]) == (400, "Unknown field: reason")
    assert await company.stored() == NOTHING


async def test_a_file_that_is_missing_is_named(company: LeadCompany) -> None:
    for options in ({"data": {"colour": "red"}}, {"data": {"file": "+14155552671"}}, {"json": {"file": "x"}}):
        url, token = f"{_path(company)}/import", company.token()
        response = await company.api.client.post(url, headers=token, **options)  # type: ignore[arg-type]
        assert response.status_code == 400, response.text
        assert response.json() == {"message": "Error importing numbers", "error": "No file uploaded"}


# Looking at it


async def test_walking_the_pages_gives_exactly_the_whole_list(company: LeadCompany) -> None:
    phones = [phone_number(number) for number in range(25)] + ["+442079460958", "+9" + "1" * 14]
    await _add(company, *reversed(phones))
    seen: list[str] = []
    sizes = []
    query = "?limit=10"
    while True:
        response = await _get(company, query)
        assert response.status_code == 200
        page = [number["phone"] for number in response.json()["data"]]
        seen += page
        sizes.append(len(page))
        if "next" not in response.links:
            break
        assert re.fullmatch(r'<[^>]+>; rel="next"', response.headers["Link"])
        target = httpx.URL(response.links["next"]["url"])
        assert target.path == _path(company)
        query = f"?{target.query.decode()}"
    assert sizes == [10, 10, 7]
    assert len(seen) == len(set(seen))
    assert set(seen) == set(phones)


async def test_a_page_has_a_hundred_numbers_by_default(company: LeadCompany) -> None:
    await _add(company, *(phone_number(number) for number in range(101)))
    response = await _get(company)
    assert len(response.json()["data"]) == 100
    rest = await company.send("GET", response.links["next"]["url"])
    assert (len(rest.json()["data"]), "Link" in rest.headers) == (1, False)
    whole = await _get(company, "?limit=101")
    assert (len(whole.json()["data"]), "Link" in whole.headers) == (101, False)


@pytest.mark.parametrize("limit", ["0", "-1", "1001", "ten", "", "1.5"])
async def test_a_limit_that_cannot_be_is_refused(company: LeadCompany, limit: str) -> None:
    response = await _get(company, f"?limit={limit}")
    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == ["limit"]


@pytest.mark.parametrize("cursor", ["%00", "x" * 1000, "%EF%BF%BD", "'; DROP TABLE do_not_call; --", "-1"])
async def test_a_made_up_cursor_harms_nothing(company: LeadCompany, cursor: str) -> None:
    await _add(company, NUMBER)
    response = await _get(company, f"?cursor={cursor}")
    assert response.status_code in (200, 400)
    assert await company.listed_numbers() == [NUMBER]


# Taking off


@pytest.mark.parametrize("written", [NUMBER, "(415) 555-2671", "4155552671", " 14155552671"])
async def test_a_number_is_taken_off_and_its_leads_stay_blacklisted(company: LeadCompany, written: str) -> None:
    lead = await company.create(phone=NUMBER)
    await _add(company, NUMBER, phone_number(1))
    response = await _take_off(company, written)
    assert response.status_code == 200, response.text
    assert list(response.json()) == ["message"]
    assert await company.listed_numbers() == [phone_number(1)]
    assert (await company.read(lead))["status"] == "blacklisted"
    assert (await company.create(phone=NUMBER))["status"] == "pending"


async def test_a_number_that_is_not_listed_is_not_found(company: LeadCompany, other_company: LeadCompany) -> None:
    await _add(other_company, NUMBER)
    await _add(company, phone_number(1))
    before = await company.stored()
    response = await _take_off(company, NUMBER)
    assert response.status_code == 404
    assert response.json().keys() == {"message", "error"}
    assert await company.stored() == before
    assert await other_company.listed_numbers() == [NUMBER]


async def test_a_number_is_taken_off_once(company: LeadCompany) -> None:
    await _add(company, NUMBER)
    assert [(await _take_off(company, NUMBER)).status_code for _ in range(2)] == [200, 404]


@pytest.mark.parametrize("query", ["", "?phone=", "?phone=12", "?phone=call%20me", "?phone=%00", "?phone=%FF"])
async def test_what_is_no_number_cannot_be_taken_off(company: LeadCompany, query: str) -> None:
    response = await company.send("DELETE", f"{_path(company)}{query}")
    assert response.status_code == 400, response.text
    assert [error["field"] for error in response.json()["errors"]] == ["phone"]


async def test_a_number_taken_off_can_be_listed_again(company: LeadCompany) -> None:
    lead = await company.create(phone=NUMBER)
    _added(await _add(company, NUMBER), 1, 1)
    await _take_off(company, NUMBER)
    _added(await _add(company, NUMBER), 1, 0)
    await company.on_lead("PATCH", lead, "/status", {"status": "pending"}, role="admin")
    assert await company.listed_numbers() == []
    _added(await _add(company, NUMBER), 1, 1)


# What blacklists in one transaction


@pytest.mark.parametrize("table", ["do_not_call", "outbox"])
async def test_a_lead_is_blacklisted_with_its_number_or_not_at_all(company: LeadCompany, table: str) -> None:
    lead, sibling = await company.create(phone=NUMBER), await company.create(phone=NUMBER)
    before = await company.stored()
    await company.api.rows(f"ALTER TABLE {table} ADD CONSTRAINT refused CHECK (company_id <> {company.id}) NOT VALID")
    try:
        response = await company.on_lead("PATCH", lead, "/status", {"status": "blacklisted"})
    finally:
        await company.api.rows(f"ALTER TABLE {table} DROP CONSTRAINT refused")
    assert response.status_code == 500
    assert await company.stored() == before
    assert await company.read(sibling) == sibling
