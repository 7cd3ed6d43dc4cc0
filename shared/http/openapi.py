"""What the services say of themselves in OpenAPI: their errors with examples, and nothing they never answer."""

import inspect
import re
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic import BaseModel

from shared.http.errors import ApiError, ErrorResponse

_AUTOMATIC_SCHEMA = {"$ref": "#/components/schemas/HTTPValidationError"}


class MessageResponse(BaseModel):
    """A response that states what was done, and nothing more."""

    message: str


Done = MessageResponse


def documented_errors(*errors: ApiError) -> dict[int | str, dict[str, Any]]:
    """Entries for FastAPI's ``responses=``: one for each status, described by the docstrings of its errors' classes.

    An endpoint's entry for a status stands in place of the app's own for that status.

    Parameters
    ----------
    errors
        As they would be raised: each is an example, named after its ``error``, whose value is the body it is answered
        with.
    """
    responses: dict[int | str, dict[str, Any]] = {}
    for status in dict.fromkeys(error.status for error in errors):
        of_status = [error for error in errors if error.status == status]
        responses[status] = {
            "model": ErrorResponse,
            "description": " ".join(dict.fromkeys(_meaning(error) for error in of_status)),
            "content": {"application/json": {"examples": _examples(of_status)}},
        }
    return responses


def documented_response(
    model: object, description: str, example: object, *, headers: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """An entry for FastAPI's ``responses=`` of an answer that is no error, with a whole body as an example."""
    entry = {
        "model": model,
        "description": description,
        "content": {"application/json": {"examples": {"example": {"value": example}}}},
    }
    return {**entry, "headers": dict(headers)} if headers else entry


def _meaning(error: ApiError) -> str:
    return (inspect.getdoc(type(error)) or "").partition("\n")[0]


def _examples(errors: list[ApiError]) -> dict[str, dict[str, Any]]:
    examples: dict[str, dict[str, Any]] = {}
    for error in errors:
        name = re.sub(r"[^a-z0-9]+", "-", error.error.lower()).strip("-")
        if name in examples:
            name = f"{name}-{len(examples) + 1}"
        examples[name] = {"summary": error.error, "value": error.body()}
    return examples


def install_openapi(app: FastAPI) -> None:
    """Have the app's document say what its service does, where FastAPI supposes otherwise.

    Its automatic 422 is left out: a request that does not validate is answered 400 here. A 422 that an endpoint
    documents itself stays. A parameter that may be left out is not one that may be null, which no URL can say. Answers'
    examples keep what is null in them.
    """
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = generate()
            _correct(document)
            _restore_examples(document, app)
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI's documented way to change the document


def operation_name(route: APIRoute) -> str:
    """The id of a route's operation, which links to it and generated clients repeat: the name of its function."""
    return route.name


def _correct(document: dict[str, Any]) -> None:
    for operations in document["paths"].values():
        for operation in operations.values():
            _remove_automatic_error(operation["responses"])
            for parameter in operation.get("parameters", []):
                parameter["schema"] = _without_null(parameter["schema"])
    for name in ("HTTPValidationError", "ValidationError"):
        document.get("components", {}).get("schemas", {}).pop(name, None)


def _remove_automatic_error(responses: dict[str, Any]) -> None:
    content = responses.get("422", {}).get("content", {})
    if content.get("application/json", {}).get("schema") == _AUTOMATIC_SCHEMA:
        del responses["422"]


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    kinds: list[dict[str, Any]] = [kind for kind in schema.get("anyOf", []) if kind != {"type": "null"}]
    if len(kinds) != 1:
        return schema
    return kinds[0] | {name: value for name, value in schema.items() if name != "anyOf"}


def _restore_examples(document: dict[str, Any], app: FastAPI) -> None:
    # FastAPI leaves out whatever is null, inside of examples too.
    for route in iter_route_contexts(app.routes):
        if not isinstance(route.original_route, APIRoute) or not route.include_in_schema:
            continue
        for method in route.methods or ():
            answers = document["paths"][route.path_format][method.lower()]["responses"]
            for status, given in route.responses.items():
                for media_type, medium in given.get("content", {}).items():
                    if "examples" in medium:
                        answers[str(status)]["content"][media_type]["examples"] = medium["examples"]
