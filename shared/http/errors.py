"""Errors as API clients see them: ``{"message", "error"}``, with ``"errors"`` where there are several.

An error is raised where it is known and turned into an answer here, in one place.
"""

import json
from collections.abc import Sequence
from typing import Any, Self

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import compile_path

from shared.database.availability import is_unavailable
from shared.http.json import JsonResponse
from shared.text import shorten

logger = structlog.get_logger(__name__)


class FieldError(BaseModel):
    """One thing that is wrong with what was sent."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    field: str
    """Path of the field, as ``leads.3.phone``, or name of the parameter."""
    value: str | None
    """The value as it was given, cut where it is long; null when it is missing."""
    code: str
    """For programs: ``missing``, ``greater_than_equal`` …"""
    message: str


class ErrorResponse(BaseModel):
    """The body of every error."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    message: str
    """What could not be done."""
    error: str
    """Why."""
    errors: list[FieldError] | None = None
    """Every fault, where there are several to name."""


class ApiError(Exception):
    """An error the caller is told of; a subclass gives it its status."""

    status = 500

    def __init__(self, message: str, error: str | None = None, errors: Sequence[BaseModel] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.error = error if error is not None else message
        self.errors = errors

    def body(self) -> dict[str, Any]:
        """What the answer says; the same in the API's documentation."""
        body: dict[str, Any] = {"message": self.message, "error": self.error}
        if self.errors:
            body["errors"] = [fault.model_dump(mode="json") for fault in self.errors]
        return body

    def response(self) -> Response:
        """The answer."""
        return JsonResponse(self.body(), status_code=self.status)


class BadRequest(ApiError):
    """What was sent cannot be accepted."""

    status = 400


def invalid_request(first: FieldError, *others: FieldError) -> BadRequest:
    """The error for a request with these faults."""
    summary = f"{first.field}: {first.message}" if first.field else first.message
    return BadRequest("Invalid request", summary, [first, *others])


class Unauthenticated(ApiError):
    """No token, or one that is not to be trusted."""

    status = 401

    def __init__(self) -> None:
        super().__init__("Authentication required", "No valid authentication token provided")

    def response(self) -> Response:
        """The answer, which also says how to authenticate (RFC 6750)."""
        response = super().response()
        response.headers["WWW-Authenticate"] = "Bearer"
        return response


class Forbidden(ApiError):
    """The token does not cover what was asked for."""

    status = 403


class NotFound(ApiError):
    """There is no such thing for this caller."""

    status = 404


class Conflict(ApiError):
    """What was asked for does not go with the state that the thing is in."""

    status = 409


class PreconditionFailed(ApiError):
    """The thing is not in the version that the request names."""

    status = 412


class UnprocessableContent(ApiError):
    """The request is well-formed and contradicts an earlier one."""

    status = 422


class InternalServerError(ApiError):
    """A fault of ours; nothing was changed."""

    status = 500

    def __init__(self, message: str, error: str | None = None) -> None:
        super().__init__(message, error or "An unexpected error occurred")


class ServiceUnavailable(ApiError):
    """A part of the system that is needed does not answer; the same request may succeed later."""

    status = 503

    @classmethod
    def database(cls) -> Self:
        """The error for a database that does not answer."""
        return cls("Service unavailable", "The service cannot reach its database; try again")


def install_error_handlers(app: FastAPI) -> None:
    """Answer every error that is known in the contract's shape; for the rest there is ``unexpected_error``."""
    app.add_exception_handler(ApiError, _api_error)
    app.add_exception_handler(RequestValidationError, handle_validation_error)
    app.add_exception_handler(HTTPException, _http_error)


async def _api_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)  # noqa: S101 - narrows the type the registration already guarantees
    return error.response()


async def handle_validation_error(_request: Request, error: Exception) -> Response:
    """The answer to a request that does not validate, with every fault."""
    assert isinstance(error, RequestValidationError)  # noqa: S101
    return invalid_request(*(_fault(detail) for detail in error.errors())).response()


def _fault(detail: dict[str, Any]) -> FieldError:
    # pydantic's location starts with where the value came from ("body", "query", "path"): clients know that.
    path = _encodable(".".join(str(part) for part in detail["loc"][1:]))
    missing = detail["type"] == "missing"
    message = detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "json_invalid":
        return FieldError(
            field="", value=None, code="json_invalid", message=f"The body is not JSON: {detail['ctx']['error']}"
        )
    if detail["type"] == "model_attributes_type":
        message = "Must be a JSON object, sent as application/json"
    elif detail["type"] == "extra_forbidden":
        message = f"Unknown field: {path}"
    elif missing:
        message = f"Missing required field: {path}" if path else "Missing request body"
    value = None if missing else display_value(detail.get("input"))
    return FieldError(field=path, value=value, code=detail["type"], message=message)


def display_value(value: object) -> str:
    """A rejected value as an error repeats it: cut where it is long."""
    if isinstance(value, bytes):
        value = value.decode(errors="replace")
    try:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    except RecursionError:
        text = "…"  # lists within lists, deeper than can be written
    return _encodable(shorten(text, ellipsis=""))


def _encodable(text: str) -> str:
    # JSON can hold half a surrogate pair ("\\ud800"), UTF-8 cannot: an answer that repeats one could not be sent.
    return text.encode("utf-8", "replace").decode()


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    message = "Resource not found" if error.status_code == 404 else str(error.detail)
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(_methods_of(request))
    return JsonResponse({"message": message, "error": message}, status_code=error.status_code, headers=headers)


def _methods_of(request: Request) -> list[str]:
    """Every method that the path has: the router names those of the first of its routes alone."""
    methods: set[str] = set()
    for route in iter_route_contexts(request.app.routes):
        if route.path and compile_path(route.path)[0].match(request.url.path):
            methods |= route.methods or set()
    return sorted(methods)


async def unexpected_error(request: Request, error: Exception) -> Response:
    """What no one expected: the log has all of it, the caller nothing but whether to come again."""
    if is_unavailable(error):
        logger.warning("database_away", method=request.method, path=request.url.path, error=repr(error))
        return ServiceUnavailable.database().response()
    logger.error("request_failed", method=request.method, path=request.url.path, exc_info=error)
    # An endpoint for which the contract words this message itself says so in the request's state.
    return InternalServerError(getattr(request.state, "failure_message", "Internal server error")).response()
