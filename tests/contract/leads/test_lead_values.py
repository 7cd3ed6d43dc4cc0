"""Values of a lead's fields: invalid numbers, blank texts, and whether the API document agrees."""

from typing import Any

import jsonschema_rs
import orjson
import pytest

from tests.contract.leads.rejections import rejected
from tests.fixtures.gateway import Caller
from tests.fixtures.lead_imports import json_imported, post_json
from tests.fixtures.leads import LeadCompany

PHONE = "+14155550100"
NO_NUMBERS = ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"]
HOLDERS = ["%s", "[%s]", '{"deep": [1, {"deeper": %s}]}']
NUMBERS = {"priority": 2, "annual_revenue": 5.5, "lead_score": 85, "assigned_to": 7}
LISTS = ("pain_points", "requirements", "tags")


def _with(body: dict[str, Any], field: str, value: str) -> bytes:
    return orjson.dumps(body | {field: "@"}).replace(b'"@"', value.encode())


@pytest.mark.parametrize("number", NO_NUMBERS)
@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize("way", ["create", "update"])
async def test_custom_fields_must_not_contain_nan_or_infinity(
    company: LeadCompany, way: str, holder: str, number: str
) -> None:
    lead = await company.create() if way == "update" else {}
    before = await company.stored()
    content = _with(company.body(), "custom_fields", '{"a": %s}' % (holder % number))
    method, path = ("PUT", f"/api/voice-leads/{lead['id']}") if lead else ("POST", "/api/voice-leads")
    response = await company.send(method, path, content=content)
    assert response.status_code == 400, response.text
    assert [error["field"] for error in response.json()["errors"]] == ["custom_fields"]
    assert await company.stored() == before


@pytest.mark.parametrize("number", NO_NUMBERS)
async def test_money_is_a_number(company: LeadCompany, number: str) -> None:
    lead = await company.create()
    before = await company.stored()
    content = _with(company.body(), "annual_revenue", number)
    for response in (
        await company.send("POST", "/api/voice-leads", content=content),
        await company.send("PUT", f"/api/voice-leads/{lead['id']}", content=content),
        await company.on_lead("PATCH", lead, "/convert", content=f'{{"value": {number}}}'.encode()),
    ):
        assert response.status_code == 400, response.text
        assert [error["field"] for error in response.json()["errors"]] in (["annual_revenue"], ["value"])
    assert await company.stored() == before


@pytest.mark.parametrize("number", NO_NUMBERS)
async def test_leads_of_a_json_import_must_not_contain_nan_or_infinity(caller: Caller, number: str) -> None:
    campaign_id = await caller.create_campaign()
    body = (
        f'{{"campaign_id": {campaign_id}, "leads": [{{"phone": "{PHONE}"}},'
        f' {{"phone": "{PHONE}", "lead_score": {number}, "custom_fields": {{"a": [{number}]}}}}],'
        f' "default_values": {{"priority": {number}}}}}'
    )

    response = await post_json(caller, body.encode())

    rejected(response, "leads.1.lead_score must not contain NaN, Infinity or a number beyond 1.8e308")
    assert [(error["row"], error["field"], error["code"]) for error in response.json()["errors"]] == [
        (1, "leads.1.lead_score", "not_a_number"),
        (1, "leads.1.custom_fields", "not_a_number"),
        (None, "default_values.priority", "not_a_number"),
    ]
    assert await caller.leads() == []


@pytest.mark.parametrize("body", [b'{"a": NaN', b"[NaN]", b"NaN", b"[" * 5000 + b"NaN"])
async def test_a_body_with_nan_that_is_otherwise_invalid(caller: Caller, body: bytes) -> None:
    rejected(await post_json(caller, body), "The body must be a JSON object")


VALUES: list[object] = ["", "  ", "85", "x", 85, 5.5, -1, True, [], ["a"], [1], {}, {"a": 1}, None]
OPTIONAL = [*NUMBERS, *LISTS, "custom_fields", "interest_level"]


def _schemas(document: dict[str, Any], name: str) -> dict[str, Any]:
    schema = document["components"]["schemas"][name]
    return {
        field: {**of_field, "components": document["components"]} for field, of_field in schema["properties"].items()
    }


@pytest.mark.parametrize("value", VALUES[:-1], ids=repr)  # null is the same as leaving a field out
async def test_the_document_defines_which_values_a_body_may_have(company: LeadCompany, value: object) -> None:
    document = (await company.api.client.get("/openapi.json")).json()
    for field, schema in _schemas(document, "LeadCreate").items():
        if field in OPTIONAL:
            allowed = jsonschema_rs.Draft202012Validator(schema).is_valid(value)
            response = await company.post(company.smallest_body(**{field: value}))
            assert response.status_code == (201 if allowed else 400), (field, response.text)
    lead = await company.create()
    for step, name, required in (
        ("POST /call-attempt", "CallAttemptCreate", {"duration": 5}),
        ("PATCH /convert", "LeadConversion", {}),
        ("PATCH /assign", "LeadAssigneeUpdate", {}),
    ):
        method, path = step.split(" ")
        for field, schema in _schemas(document, name).items():
            if field not in {"cost", "agent_id", "duration", "keywords", "quality", "value", "assigned_to"}:
                continue
            allowed = jsonschema_rs.Draft202012Validator(schema).is_valid(value)
            response = await company.on_lead(method, lead, path, required | {field: value})
            assert (response.status_code == 200) == allowed, (field, response.text)


@pytest.mark.parametrize("value", VALUES, ids=repr)
async def test_the_document_defines_which_values_a_json_import_may_have(caller: Caller, value: object) -> None:
    """For types only: a schema does not describe the format of texts that an import accepts."""
    document = (await caller.gateway.http.get("/openapi.json")).json()
    path = "/api/company/voice-leads/company/{companyId}/import-json"
    body = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
    fields = body["properties"]["leads"]["items"]["properties"]
    campaign_id = await caller.create_campaign()
    for field in OPTIONAL:
        allowed = jsonschema_rs.Draft202012Validator(fields[field]).is_valid(value)
        response = await post_json(
            caller, {"campaign_id": campaign_id, "leads": [{"phone": PHONE, field: value}], "dry_run": True}
        )
        if response.status_code == 200:
            assert allowed, field
        elif not isinstance(value, str):
            assert not allowed, (field, response.text)


async def test_a_blank_text_is_no_value_in_a_json_import(caller: Caller) -> None:
    blank = dict.fromkeys(OPTIONAL, "")
    [lead] = await json_imported(caller, [{"phone": PHONE} | blank])
    assert {field: lead[field] for field in OPTIONAL} == {
        **dict.fromkeys(OPTIONAL, None),
        "priority": 3,
        "custom_fields": {},
    }


@pytest.mark.parametrize(("written", "stored"), [("EN-us", "en-US"), ("zh_hant_tw", "zh-Hant-TW"), ("DE", "de")])
async def test_a_language_tag_is_normalized(company: LeadCompany, written: str, stored: str) -> None:
    lead = await company.create(preferred_language=written)
    assert lead["preferred_language"] == stored
