"""The service's OpenAPI document: every operation is described, with examples that match their schemas."""

import re
from typing import Any

import jsonschema_rs
import pytest

from shared.http.errors import ErrorResponse
from tests.fixtures.campaigns import CONTRACT_EXAMPLE

PATH = "/api/voice-campaigns"
MEMBERS = f"{PATH}/company/{{companyId}}/members"
MEMBER = f"{MEMBERS}/{{memberId}}"
PUT_MEMBER = ("put", MEMBER)
DELETE_MEMBER = ("delete", MEMBER)
READS = {
    ("get", PATH),
    ("get", f"{PATH}/{{id}}"),
    ("get", f"{PATH}/company/{{companyId}}"),
    ("get", f"{PATH}/company/{{companyId}}/active"),
    ("get", MEMBERS),
    ("get", MEMBER),
}
CREATE = ("post", PATH)
STATUS = ("patch", f"{PATH}/{{id}}/status")
TRANSITIONS = {("post", f"{PATH}/{{id}}/{verb}") for verb in ("start", "pause", "resume", "complete")}
DELETE = ("delete", f"{PATH}/{{id}}")
CHANGES = {("put", f"{PATH}/{{id}}"), DELETE, STATUS} | TRANSITIONS
OPERATIONS = sorted({CREATE, PUT_MEMBER, DELETE_MEMBER} | READS | CHANGES)
EVERY_OPERATION = pytest.mark.parametrize("name", OPERATIONS, ids=lambda name: f"{name[0].upper()} {name[1]}")

QUERIES = {
    ("get", PATH): {"status", "priority", "company_id"},
    ("get", f"{PATH}/{{id}}"): {"company_id"},
    ("get", f"{PATH}/company/{{companyId}}"): {
        *("status", "priority", "start_date", "end_date", "is_active", "search", "sort", "order", "limit", "offset")
    },
    ("get", f"{PATH}/company/{{companyId}}/active"): {"priority", "limit", "offset"},
    ("get", MEMBERS): {"limit", "offset"},
}
"""The contract's query parameters, and those of a company's members."""


def _operation(document: dict[str, Any], name: tuple[str, str]) -> dict[str, Any]:
    method, path = name
    operation: dict[str, Any] = document["paths"][path][method]
    return operation


def _successes(document: dict[str, Any], name: tuple[str, str]) -> list[dict[str, Any]]:
    successes = [answer for status, answer in _operation(document, name)["responses"].items() if status.startswith("2")]
    assert len(successes) == (2 if name == PUT_MEMBER else 1)
    return successes


def _resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in schema:
        return schema
    found: dict[str, Any] = document["components"]["schemas"][schema["$ref"].removeprefix("#/components/schemas/")]
    return found


def _examples(document: dict[str, Any], medium: dict[str, Any]) -> list[Any]:
    """Return the whole example bodies: next to the schema, in it, or in each of its alternatives."""
    if "example" in medium:
        return [medium["example"]]
    if "examples" in medium:
        return [example["value"] for example in medium["examples"].values()]
    schema = _resolved(document, medium["schema"])
    if "anyOf" in schema:
        of_alternatives = [_examples(document, {"schema": alternative}) for alternative in schema["anyOf"]]
        return [example for examples in of_alternatives for example in examples] if all(of_alternatives) else []
    if "example" in schema:
        return [schema["example"]]
    return list(schema.get("examples", []))


def _schema_errors(document: dict[str, Any], schema: dict[str, Any], value: object) -> list[str]:
    validator = jsonschema_rs.Draft202012Validator({**schema, "components": document["components"]})
    return [error.message for error in validator.iter_errors(value)]


async def test_every_operation_is_documented(campaign_document: dict[str, Any]) -> None:
    documented = {(method, path) for path, methods in campaign_document["paths"].items() for method in methods}
    assert documented == set(OPERATIONS)


@EVERY_OPERATION
async def test_an_operation_has_summary_description_and_id(
    campaign_document: dict[str, Any], name: tuple[str, str]
) -> None:
    operation = _operation(campaign_document, name)
    assert operation["summary"]
    assert operation["description"]
    assert operation["operationId"]


@EVERY_OPERATION
async def test_an_operation_documents_its_errors(campaign_document: dict[str, Any], name: tuple[str, str]) -> None:
    expected = {"400", "401", "403", "404", "500"}
    if name == CREATE:
        expected |= {"409", "422"}
    elif name in CHANGES:
        expected |= {"409", "412"}
    assert _operation(campaign_document, name)["responses"].keys() >= expected


@EVERY_OPERATION
async def test_only_creation_documents_422(campaign_document: dict[str, Any], name: tuple[str, str]) -> None:
    assert ("422" in _operation(campaign_document, name)["responses"]) == (name == CREATE)


@EVERY_OPERATION
async def test_only_changes_of_a_campaign_document_412(
    campaign_document: dict[str, Any], name: tuple[str, str]
) -> None:
    assert ("412" in _operation(campaign_document, name)["responses"]) == (name in CHANGES)


@EVERY_OPERATION
async def test_each_error_has_an_example_of_its_body(campaign_document: dict[str, Any], name: tuple[str, str]) -> None:
    responses = _operation(campaign_document, name)["responses"]
    for status, answer in responses.items():
        if status.startswith("2"):
            continue
        assert answer["description"], status
        [(media_type, medium)] = answer["content"].items()
        assert media_type == "application/json"
        examples = _examples(campaign_document, medium)
        assert examples, status
        for example in examples:
            ErrorResponse.model_validate(example)
            assert _schema_errors(campaign_document, medium["schema"], example) == []


@EVERY_OPERATION
async def test_each_parameter_is_described(campaign_document: dict[str, Any], name: tuple[str, str]) -> None:
    for parameter in _operation(campaign_document, name).get("parameters", []):
        assert parameter.get("description"), parameter["name"]


@EVERY_OPERATION
async def test_the_parameters_are_those_of_the_contract(
    campaign_document: dict[str, Any], name: tuple[str, str]
) -> None:
    places: dict[str, set[str]] = {"path": set(), "query": set(), "header": set()}
    for parameter in _operation(campaign_document, name).get("parameters", []):
        places[parameter["in"]].add(parameter["name"].lower() if parameter["in"] == "header" else parameter["name"])
    in_path = set(re.findall(r"\{(\w+)\}", name[1]))
    in_header = {"idempotency-key"} if name == CREATE else {"if-match"} if name in CHANGES else set()
    assert places == {"path": in_path, "query": QUERIES.get(name, set()), "header": in_header}


@EVERY_OPERATION
async def test_a_success_has_an_example_of_its_body(campaign_document: dict[str, Any], name: tuple[str, str]) -> None:
    for success in _successes(campaign_document, name):
        [(media_type, medium)] = success["content"].items()
        assert media_type == "application/json"
        assert _examples(campaign_document, medium)


@EVERY_OPERATION
async def test_the_example_of_a_success_matches_its_schema(
    campaign_document: dict[str, Any], name: tuple[str, str]
) -> None:
    for success in _successes(campaign_document, name):
        [medium] = success["content"].values()
        for example in _examples(campaign_document, medium):
            assert _schema_errors(campaign_document, medium["schema"], example) == []


async def test_every_schema_with_an_example_accepts_it(campaign_document: dict[str, Any]) -> None:
    invalid = {
        name: errors
        for name, schema in campaign_document["components"]["schemas"].items()
        for example in schema.get("examples", [])
        if (errors := _schema_errors(campaign_document, {"$ref": f"#/components/schemas/{name}"}, example))
    }
    assert invalid == {}


@EVERY_OPERATION
async def test_responses_with_an_etag_document_it(campaign_document: dict[str, Any], name: tuple[str, str]) -> None:
    tagged = name in {CREATE, ("get", f"{PATH}/{{id}}")} | CHANGES - {DELETE}
    for success in _successes(campaign_document, name):
        assert ("ETag" in success.get("headers", {})) == tagged


async def test_creation_documents_etag_location_and_replay(
    campaign_document: dict[str, Any],
) -> None:
    [success] = _successes(campaign_document, CREATE)
    assert success["headers"].keys() == {"ETag", "Location", "Idempotency-Replayed"}


@pytest.mark.parametrize(
    ("name", "example"),
    [
        (CREATE, CONTRACT_EXAMPLE),
        (("put", f"{PATH}/{{id}}"), CONTRACT_EXAMPLE),
        (STATUS, {"status": "active"}),
        (PUT_MEMBER, {"name": "John Smith"}),
    ],
    ids=["create", "update", "status", "member"],
)
async def test_the_example_of_a_body_is_that_of_the_contract(
    campaign_document: dict[str, Any], name: tuple[str, str], example: dict[str, Any]
) -> None:
    body = _operation(campaign_document, name)["requestBody"]
    assert body["required"]
    medium = body["content"]["application/json"]
    assert example in _examples(campaign_document, medium)
    assert _schema_errors(campaign_document, medium["schema"], example) == []


@pytest.mark.parametrize(
    "name", [*sorted(TRANSITIONS), DELETE, DELETE_MEMBER, *sorted(READS)], ids=lambda name: f"{name[0]} {name[1]}"
)
async def test_an_operation_without_a_body_documents_none(
    campaign_document: dict[str, Any], name: tuple[str, str]
) -> None:
    assert "requestBody" not in _operation(campaign_document, name)
