"""Import requests are read and validated before a job is created; without servers."""

import json
from typing import Any

import httpx
import orjson
import pytest
from fastapi import Request

from services.lead_svc.imports.api.json_request import read_json_request
from services.lead_svc.imports.api.upload import fingerprint_parts, read_file_request
from services.lead_svc.imports.errors import ImportRequestError
from services.lead_svc.imports.options import OnDuplicate, OnError
from services.lead_svc.spreadsheets.file_kind import FileKind
from shared.http.errors import BadRequest

PHONE = "+14155550100"
INVALID_CAMPAIGN = "Invalid campaign_id or campaign does not belong to company"
NO_LEADS = "leads must be a non-empty array"
NOT_AN_OBJECT = "The body must be a JSON object"
MAX_ID = 2**63 - 1


def request_of(sent: httpx.Request) -> Request:
    """The request as the service receives it."""
    content = sent.read()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": content, "more_body": False}

    headers = [(name.lower().encode(), value.encode()) for name, value in sent.headers.items()]
    return Request({"type": "http", "method": "POST", "path": "/", "headers": headers}, receive)


def json_request(body: object) -> Request:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return request_of(httpx.Request("POST", "http://leads/", content=content))


def file_request(**fields: str) -> Request:
    form = {"campaign_id": "1", **fields}
    file = ("leads.csv", f"phone\n{PHONE}\n".encode())
    return request_of(httpx.Request("POST", "http://leads/", files={"file": file}, data=form))


async def json_error(body: object) -> str:
    with pytest.raises(ImportRequestError) as raised:
        await read_json_request(json_request(body))
    return raised.value.error


async def form_error(**fields: str) -> str:
    with pytest.raises(BadRequest) as raised:
        await read_file_request(file_request(**fields))
    return raised.value.error


@pytest.mark.parametrize("campaign_id", [0, -1, MAX_ID + 1, 2**70, "abc", "1", 1.5, True, [1], {}])
async def test_json_needs_the_id_of_a_campaign(campaign_id: object) -> None:
    assert await json_error({"campaign_id": campaign_id, "leads": [{"phone": PHONE}]}) == INVALID_CAMPAIGN


@pytest.mark.parametrize("body", [{}, {"campaign_id": None}, {"campaign_id": ""}])
async def test_json_without_a_campaign(body: dict[str, object]) -> None:
    assert await json_error(body | {"leads": [{"phone": PHONE}]}) == "campaign_id is required"


@pytest.mark.parametrize("leads", [None, [], {}, "leads", 1, {"phone": PHONE}])
async def test_json_needs_leads(leads: object) -> None:
    assert await json_error({"campaign_id": 1, "leads": leads}) == NO_LEADS


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b"\xff", b'"leads"'])
async def test_json_must_be_an_object(body: bytes) -> None:
    assert await json_error(body) == NOT_AN_OBJECT


@pytest.mark.parametrize("deep", ['{"a":' * 300 + "1" + "}" * 300, "[" * 300 + "]" * 300])
async def test_json_must_not_be_nested_too_deeply(deep: str) -> None:
    leads = f'"campaign_id": 1, "leads": [{{"phone": "{PHONE}", "custom_fields": {deep}}}]'
    defaults = f'"campaign_id": 1, "leads": [{{"phone": "{PHONE}"}}], "default_values": {{"custom_fields": {deep}}}'

    assert await json_error(f"{{{leads}}}".encode()) == "leads must not be nested more than 254 levels deep"
    assert (await json_error(f"{{{defaults}}}".encode())).endswith("be nested more than 254 levels deep")


async def test_json_is_read_with_its_options() -> None:
    leads = [{"phone": PHONE}]
    body = {"campaign_id": 7, "leads": leads, "on_error": "skip", "on_duplicate": "update", "dry_run": True}

    request = await read_json_request(json_request(b"\xef\xbb\xbf" + orjson.dumps(body)))

    assert (request.campaign_id, request.kind, orjson.loads(request.content)) == (7, FileKind.JSON, leads)
    assert (request.options.on_error, request.options.on_duplicate) == (OnError.SKIP, OnDuplicate.UPDATE)
    assert request.options.dry_run


@pytest.mark.parametrize("campaign_id", ["0", "-1", str(MAX_ID + 1), "9" * 30, "abc", "1.5", "１"])
async def test_a_form_needs_the_id_of_a_campaign(campaign_id: str) -> None:
    assert await form_error(campaign_id=campaign_id) == INVALID_CAMPAIGN


@pytest.mark.parametrize("text", ['{"status":', "status=pending", "[]", '"pending"', "null", "1", "NaN", '{"a": NaN}'])
async def test_default_values_of_a_form_are_a_json_object(text: str) -> None:
    assert await form_error(default_values=text) == "default_values must be a JSON object"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('{"source": "a\\u0000b"}', id="NUL in a value"),
        pytest.param('{"custom_fields": {"a": ["\\u0000"]}}', id="NUL inside"),
        pytest.param('{"\\u0000": "a"}', id="NUL in a name"),
        pytest.param('{"custom_fields":' + '{"a":' * 300 + "1" + "}" * 301, id="nested too deeply"),
    ],
)
async def test_default_values_of_a_form_can_be_stored(text: str) -> None:
    error = await form_error(default_values=text)

    assert error == "default_values must not contain NUL characters or be nested more than 254 levels deep"


@pytest.mark.parametrize(
    ("option", "value", "error"),
    [
        ("on_error", "ignore", "on_error must be abort or skip"),
        ("on_duplicate", "replace", "on_duplicate must be create, skip, update or error"),
        ("dry_run", "maybe", "dry_run must be true or false"),
        ("column_map", "phone", "column_map must be a JSON object of headers and fields"),
        ("column_map", "[]", "column_map must be a JSON object of headers and fields"),
        ("column_map", '{"a": 1}', "column_map must be a JSON object of headers and fields"),
        ("column_map", '{"a\\u0000": "phone"}', "column_map must be a JSON object of headers and fields"),
        ("dryrun", "true", "Unknown field: dryrun"),
    ],
)
async def test_an_invalid_option_of_a_form_is_rejected(option: str, value: str, error: str) -> None:
    assert await form_error(**{option: value}) == error


async def test_the_fingerprint_has_the_options_and_not_the_name_of_the_file() -> None:
    plain = await read_file_request(file_request())
    skipping = await read_file_request(file_request(on_error="skip"))

    assert fingerprint_parts(plain) != fingerprint_parts(skipping)
    assert b"leads.csv" not in b"".join(fingerprint_parts(plain))
