"""Errors as API clients see them: ``{"message", "error"}``, with ``"errors"`` where there are several.

An error is raised where it is detected and turned into a response here, in one place.
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
    """One error of a request."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    field: str
    """Path of the field, as ``leads.3.phone``, or name of the parameter."""
    value: str | None
    """The value that was sent, cut to 100 characters; null when it is missing."""
    code: str
    """For programs: ``missing``, ``greater_than_equal`` …"""
    message: str


class ErrorResponse(BaseModel):
    """The body of every error."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    message: str
    """What failed."""
    error: str
    """Why."""
    errors: list[FieldError] | None = None
    """Every error of the request, where there are several."""


class ApiError(Exception):
    """An error with a response of its own; a subclass defines its status."""

    status = 500

    def __init__(self, message: str, error: str | None = None, errors: Sequence[BaseModel] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.error = error if error is not None else message
        self.errors = errors

    def body(self) -> dict[str, Any]:
        """Return the body of the response; the API document has it as an example."""
        body: dict[str, Any] = {"message": self.message, "error": self.error}
        if self.errors:
            body["errors"] = [error.model_dump(mode="json") for error in self.errors]
        return body

    def response(self) -> Response:
        """Return the response."""
        return JsonResponse(self.body(), status_code=self.status)


class BadRequest(ApiError):
    """The request is not valid."""

    status = 400


def invalid_request(first: FieldError, *others: FieldError) -> BadRequest:
    """Return the error for a request with these errors."""
    summary = f"{first.field}: {first.message}" if first.field else first.message
    return BadRequest("Invalid request", summary, [first, *others])


class Unauthenticated(ApiError):
    """The request has no token, or one that is not valid."""

    status = 401

    def __init__(self) -> None:
        super().__init__("Authentication required", "No valid authentication token provided")

    def response(self) -> Response:
        """Return the response, whose header names the authentication scheme (RFC 6750)."""
        response = super().response()
        response.headers["WWW-Authenticate"] = "Bearer"
        return response


class Forbidden(ApiError):
    """The token does not cover the requested resource."""

    status = 403


class NotFound(ApiError):
    """The resource does not exist, or not for this caller."""

    status = 404


class Conflict(ApiError):
    """The state of the resource does not allow the request."""

    status = 409


class PreconditionFailed(ApiError):
    """The resource does not have the version that the request names."""

    status = 412


class UnprocessableContent(ApiError):
    """The request is well-formed and contradicts an earlier one."""

    status = 422


class InternalServerError(ApiError):
    """The service failed; nothing was changed."""

    status = 500

    def __init__(self, message: str, error: str | None = None) -> None:
        super().__init__(message, error or "An unexpected error occurred")


class ServiceUnavailable(ApiError):
    """A server that the request needs does not answer; the same request may succeed later."""

    status = 503

    @classmethod
    def database(cls) -> Self:
        """Return the error for a database that does not answer."""
        return cls("Service unavailable", "The service cannot reach its database; try again")


def install_error_handlers(app: FastAPI) -> None:
    """Give every known error the contract's shape; the rest is handled by ``unexpected_error``."""
    app.add_exception_handler(ApiError, _api_error)
    app.add_exception_handler(RequestValidationError, handle_validation_error)
    app.add_exception_handler(HTTPException, _http_error)


async def _api_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)  # noqa: S101 - narrows the type the registration already guarantees
    return error.response()


async def handle_validation_error(_request: Request, error: Exception) -> Response:
    """Return the response to a request that does not validate, with every error."""
    assert isinstance(error, RequestValidationError)  # noqa: S101
    return invalid_request(*(_field_error(detail) for detail in error.errors())).response()


def _field_error(detail: dict[str, Any]) -> FieldError:
    # pydantic's location starts with the part of the request ("body", "query", "path"): clients know it.
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
    """Return a rejected value as an error repeats it: cut to 100 characters."""
    if isinstance(value, bytes):
        value = value.decode(errors="replace")
    try:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    except RecursionError:
        text = "…"  # nested more deeply than can be serialized
    return _encodable(shorten(text, ellipsis=""))


def _encodable(text: str) -> str:
    # JSON can contain half a surrogate pair ("\\ud800"), UTF-8 cannot: a response that repeats one could not be sent.
    return text.encode("utf-8", "replace").decode()


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    message = "Resource not found" if error.status_code == 404 else str(error.detail)
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(_methods_of(request))
    return JsonResponse({"message": message, "error": message}, status_code=error.status_code, headers=headers)


def _methods_of(request: Request) -> list[str]:
    """Return every method of the path: the router names only those of the first of its routes."""
    methods: set[str] = set()
    for route in iter_route_contexts(request.app.routes):
        if route.path and compile_path(route.path)[0].match(request.url.path):
            methods |= route.methods or set()
    return sorted(methods)


async def unexpected_error(request: Request, error: Exception) -> Response:
    """Return the response to an unexpected error: the log has its details, the caller learns whether to retry."""
    if is_unavailable(error):
        logger.warning("database_away", method=request.method, path=request.url.path, error=repr(error))
        return ServiceUnavailable.database().response()
    logger.error("request_failed", method=request.method, path=request.url.path, exc_info=error)
    # An endpoint whose message the contract defines puts it into the request's state.
    return InternalServerError(getattr(request.state, "failure_message", "Internal server error")).response()
