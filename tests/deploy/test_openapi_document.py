"""The API document that the gateway serves: the documents of the services, complete and without contradiction."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from deploy.openapi import FILE, TAGS, ContradictionError, Document, merged, text
from shared.http.errors import ErrorResponse

DOCUMENT: Document = json.loads(FILE.read_text("utf-8"))
OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
}
EVERY_OPERATION = pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
ANSWERED_BY_ANY = {"401", "500", "503"}


def nodes(node: object) -> Iterator[dict[str, Any]]:
    """Every object of a JSON document."""
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from nodes(value)
    elif isinstance(node, list):
        for value in node:
            yield from nodes(value)


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema that a reference means; any other schema is its own."""
    if "$ref" not in schema:
        return schema
    found: dict[str, Any] = DOCUMENT["components"]["schemas"][schema["$ref"].removeprefix("#/components/schemas/")]
    return found


def is_explained(medium: dict[str, Any]) -> bool:
    """Whether a body of a request has an example, or all of its fields a description."""
    schema = resolved(medium["schema"])
    if medium.keys() & {"example", "examples"} or schema.keys() & {"example", "examples"}:
        return True
    fields = schema.get("properties", {}).values()
    return bool(fields) and all("description" in field for field in fields)


def test_the_file_is_generated_from_the_services() -> None:
    assert FILE.read_text("utf-8") == text(), "the API has changed: `make openapi` writes its document again"


@EVERY_OPERATION
def test_an_operation_has_a_summary_and_a_description(operation: Document) -> None:
    assert operation["summary"]
    assert operation.get("description")
    assert set(operation["tags"]) <= TAGS.keys()
    assert operation["security"] == [{"bearerAuth": []}]


@EVERY_OPERATION
def test_what_an_operation_takes_is_explained(operation: Document) -> None:
    for parameter in operation.get("parameters", []):
        assert parameter.get("description"), parameter["name"]
        assert parameter["schema"], parameter["name"]
    for medium in operation.get("requestBody", {"content": {}})["content"].values():
        assert is_explained(medium)


@EVERY_OPERATION
def test_the_shape_of_a_success_is_documented(operation: Document) -> None:
    successes = [answer for status, answer in operation["responses"].items() if status.startswith("2")]
    assert successes
    for answer in successes:
        assert answer["content"]
        assert all(medium["schema"] for medium in answer["content"].values())


@EVERY_OPERATION
def test_each_error_has_its_response_as_an_example(operation: Document) -> None:
    errors = {status: answer for status, answer in operation["responses"].items() if status[0] in "45"}
    assert errors.keys() >= ANSWERED_BY_ANY
    for answer in errors.values():
        assert answer["description"]
        [(media_type, medium)] = answer["content"].items()
        assert media_type == "application/json"
        assert medium["examples"]
        for example in medium["examples"].values():
            ErrorResponse.model_validate(example["value"])


def test_every_reference_leads_somewhere() -> None:
    for node in nodes(DOCUMENT):
        if "$ref" in node:
            assert resolved(node)


def described(**operation: Any) -> Document:
    """A service's document with one operation and one schema."""
    return {
        "paths": {"/thing": {"get": {"operationId": "get_thing", "tags": ["Leads"], **operation}}},
        "components": {"schemas": {"Thing": {"type": "object"}}},
    }


def renamed(document: Document, path: str, operation_id: str) -> Document:
    """A copy whose operation has another path and id."""
    other = copy.deepcopy(document)
    other["paths"][path] = other["paths"].pop("/thing")
    other["paths"][path]["get"]["operationId"] = operation_id
    return other


def test_operations_keep_the_order_of_their_services() -> None:
    document = merged({"first": renamed(described(), "/z", "get_z"), "second": renamed(described(), "/a", "get_a")})
    assert list(document["paths"]) == ["/z", "/a"]


def test_methods_of_one_path_may_be_answered_by_two_services() -> None:
    other = described(operationId="put_thing")
    other["paths"]["/thing"]["put"] = other["paths"]["/thing"].pop("get")
    document = merged({"first": described(), "second": other})
    assert set(document["paths"]["/thing"]) == {"get", "put"}


def test_one_name_with_one_meaning_is_one_schema() -> None:
    document = merged({"first": described(), "second": renamed(described(), "/other", "get_other")})
    assert document["components"]["schemas"] == {"Thing": {"type": "object"}}


def test_one_name_with_two_meanings_is_refused_and_both_services_named() -> None:
    other = renamed(described(), "/other", "get_other")
    other["components"]["schemas"]["Thing"] = {"type": "string"}
    with pytest.raises(ContradictionError, match="schemas Thing: first and second"):
        merged({"first": described(), "second": other})


def test_one_operation_of_two_services_is_refused() -> None:
    with pytest.raises(ContradictionError, match="GET /thing: first and second"):
        merged({"first": described(), "second": described(summary="Another")})


def test_one_operation_id_of_two_operations_is_refused() -> None:
    with pytest.raises(ContradictionError, match="operation id get_thing: first and second"):
        merged({"first": described(), "second": renamed(described(), "/other", "get_thing")})


def test_a_tag_without_a_description_is_refused() -> None:
    with pytest.raises(ContradictionError, match="tag Things of get_thing in first"):
        merged({"first": described(tags=["Things"])})
