"""Errors of members. The same objects are raised and documented in OpenAPI."""

from shared.http.errors import BadRequest, FieldError, NotFound, invalid_request


def not_found() -> NotFound:
    """The company has no such member."""
    return NotFound("Member not found")


def name_missing() -> BadRequest:
    """The body lacks the name; the documented example of a missing field."""
    return invalid_request(FieldError(field="name", value=None, code="missing", message="Missing required field: name"))
