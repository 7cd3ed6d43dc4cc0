"""The API document: errors, and authentication."""

import json
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Body, FastAPI
from pydantic import SecretStr

from shared.database.engine import Database
from shared.http.app import create_api
from shared.http.auth import Caller
from shared.http.errors import ApiError, BadRequest, ErrorResponse, FieldError, NotFound
from shared.http.openapi import documented_errors
from shared.settings import ApiSettings

ERROR = FieldError(field="name", value=None, code="missing", message="Missing required field: name")
NO_NAME = BadRequest("Invalid request", "name: Missing required field: name", [ERROR])
NO_COMPANY = BadRequest("Company ID is required")


class Teapot(ApiError):
    """It is a teapot.

    And no coffee pot.
    """

    status = 418


class OddTeapot(Teapot):
    """It is an odd teapot."""


class Misread(ApiError):
    """What was read makes no sense."""

    status = 422


def examples(entry: dict[str, Any]) -> dict[str, Any]:
    examples: dict[str, Any] = entry["content"]["application/json"]["examples"]
    return examples


def test_an_entry_is_described_by_the_first_line_of_what_its_error_is() -> None:
    [(status, entry)] = documented_errors(Teapot("No coffee")).items()
    assert status == 418
    assert entry["description"] == "It is a teapot."
    assert entry["model"] is ErrorResponse


def test_each_kind_of_error_of_one_status_describes_its_entry_once() -> None:
    entry = documented_errors(Teapot("No coffee"), Teapot("No milk"), OddTeapot("No tea"))[418]
    assert entry["description"] == "It is a teapot. It is an odd teapot."


@pytest.mark.parametrize("error", [NO_NAME, NO_COMPANY, NotFound("Campaign not found", "It was deleted")])
def test_an_example_is_the_body_that_the_error_is_answered_with(error: ApiError) -> None:
    [example] = examples(documented_errors(error)[error.status]).values()
    assert example["value"] == json.loads(bytes(error.response().body))
    ErrorResponse.model_validate(example["value"])


def test_errors_of_one_status_are_examples_beside_each_other_named_after_their_reason() -> None:
    entries = documented_errors(NO_NAME, NotFound("Campaign not found"), NO_COMPANY)
    assert list(entries) == [400, 404]
    assert list(examples(entries[400])) == ["name-missing-required-field-name", "company-id-is-required"]


def test_errors_with_the_same_reason_are_all_documented() -> None:
    entry = documented_errors(
        NotFound("Campaign not started", "Not found"), NotFound("Campaign not paused", "Not found")
    )[404]
    assert list(examples(entry)) == ["not-found", "not-found-2"]
    assert examples(entry)["not-found-2"]["value"] == {"message": "Campaign not paused", "error": "Not found"}


@pytest.fixture
def app() -> FastAPI:
    router = APIRouter()

    @router.post("/doors/{door}", responses=documented_errors(NotFound("No such door")))
    async def open_door(caller: Caller, door: int, gently: bool | None = None) -> None: ...

    @router.post("/read", responses=documented_errors(NO_NAME, Misread("Not a number")))
    async def read(caller: Caller, text: Annotated[str, Body()]) -> None: ...

    settings = ApiSettings(
        database_url=SecretStr("postgresql://x"),
        amqp_url=SecretStr("amqp://x"),
        redis_url=SecretStr("redis://x"),
        jwt_secret=SecretStr("0123456789abcdef" * 4),
    )
    database = Database("postgresql://x", name="test", pool_size=1)
    return create_api(settings, database, title="Doors", routers=[router])


def test_fastapis_own_422_and_its_schemas_are_not_in_the_document(app: FastAPI) -> None:
    document = app.openapi()
    assert "422" not in document["paths"]["/doors/{door}"]["post"]["responses"]
    assert "ValidationError" not in str(document)


def test_a_422_that_an_endpoint_documents_stays(app: FastAPI) -> None:
    answer = app.openapi()["paths"]["/read"]["post"]["responses"]["422"]
    assert answer["description"] == "What was read makes no sense."
    assert answer["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/ErrorResponse"}


def test_a_parameter_that_may_be_left_out_may_not_be_null(app: FastAPI) -> None:
    parameters = app.openapi()["paths"]["/doors/{door}"]["post"]["parameters"]
    gently = next(parameter for parameter in parameters if parameter["name"] == "gently")
    assert gently["required"] is False
    assert gently["schema"]["type"] == "boolean"
    assert "anyOf" not in gently["schema"]


def test_an_operation_is_named_as_its_function(app: FastAPI) -> None:
    assert app.openapi()["paths"]["/doors/{door}"]["post"]["operationId"] == "open_door"


def test_the_document_is_made_once(app: FastAPI) -> None:
    assert app.openapi() is app.openapi()


def test_every_endpoint_documents_the_errors_that_any_may_answer(app: FastAPI) -> None:
    responses = app.openapi()["paths"]["/read"]["post"]["responses"]
    assert {"400", "401", "403", "404", "500", "503"} <= set(responses)
    for status in ("401", "500", "503"):
        [example] = examples(responses[status]).values()
        assert ErrorResponse.model_validate(example["value"])


def test_an_endpoints_own_error_stands_in_place_of_the_general_one(app: FastAPI) -> None:
    not_found = app.openapi()["paths"]["/doors/{door}"]["post"]["responses"]["404"]
    assert list(examples(not_found)) == ["no-such-door"]


def test_an_example_keeps_what_is_null_in_it(app: FastAPI) -> None:
    refused = app.openapi()["paths"]["/read"]["post"]["responses"]["400"]
    [example] = examples(refused).values()
    assert example["value"]["errors"] == [ERROR.model_dump()]


def test_an_operation_documents_that_it_needs_a_token(app: FastAPI) -> None:
    document = app.openapi()
    assert document["paths"]["/read"]["post"]["security"] == [{"bearerAuth": []}]
    scheme = document["components"]["securitySchemes"]["bearerAuth"]
    assert (scheme["type"], scheme["scheme"], scheme["bearerFormat"]) == ("http", "bearer", "JWT")
