"""The services' OpenAPI documents: errors with examples, and no response that is never sent."""

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


def documented_errors(*errors: ApiError) -> dict[int | str, dict[str, Any]]:
    """Return entries for FastAPI's ``responses=``: one for each status, with the docstrings of its errors' classes.

    An endpoint's entry for a status replaces the app's own for that status.

    Parameters
    ----------
    errors
        As they would be raised: each is an example, named after its ``error``, whose value is the body of its response.
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
    """Return an entry for FastAPI's ``responses=`` of a successful response, with a whole body as an example."""
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
    """Correct the app's document where FastAPI assumes what its service does not do.

    The automatic 422 is removed: a request that does not validate gets 400 here. A 422 that an endpoint documents
    remains. A parameter that may be left out cannot be null, because no URL can express that. The examples of responses
    retain their nulls.
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
    """Return the id of a route's operation, used by links and generated clients: the name of its function."""
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
    # FastAPI leaves out every null, in examples too.
    for route in iter_route_contexts(app.routes):
        if not isinstance(route.original_route, APIRoute) or not route.include_in_schema:
            continue
        for method in route.methods or ():
            responses = document["paths"][route.path_format][method.lower()]["responses"]
            for status, entry in route.responses.items():
                for media_type, medium in entry.get("content", {}).items():
                    if "examples" in medium:
                        responses[str(status)]["content"][media_type]["examples"] = medium["examples"]
