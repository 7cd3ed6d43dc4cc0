"""``ETag`` and ``If-Match``: a change that is based on a version is made to that version or not at all.

Source: RFC 9110, sections 8.8.3 and 13.1.1.
"""

import re
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import Depends, Header, Request

from shared.http.errors import FieldError, PreconditionFailed, display_value, invalid_request

_TAG: Final = r'(?:W/)?"[!#-~\x80-\xff]*"'
_TAGS: Final = re.compile(rf"[\s,]*{_TAG}(?:\s*,[\s,]*{_TAG})*[\s,]*")
"""A list may have empty places: RFC 9110, section 5.6.1.2."""
_MALFORMED: Final = 'must be * or entity tags, as "3"'


ETAG_HEADER: Final[dict[str, Any]] = {
    "ETag": {"description": "The version, for `If-Match`.", "schema": {"type": "string"}, "example": '"3"'}
}
"""How a response with an entity tag documents it."""


def etag(version: int) -> str:
    """Return the entity tag of a version."""
    return f'"{version}"'


def precondition_failed(version: int) -> PreconditionFailed:
    """Return the error for a request that names another version than the current one."""
    return PreconditionFailed("Precondition failed", f"If-Match does not name the current version, {etag(version)}")


@dataclass(frozen=True, slots=True)
class Precondition:
    """The versions that a request names; None for any version."""

    tags: frozenset[str] | None

    def require(self, version: int) -> None:
        """Raise ``PreconditionFailed`` unless the request names this version, or any."""
        if self.tags is not None and etag(version) not in self.tags:
            raise precondition_failed(version)


def _precondition(
    request: Request,
    _documented: Annotated[
        str | None,
        Header(
            alias="If-Match",
            description="The `ETag` of the version to change. When it is not the current one, nothing is changed.",
            examples=['"3"'],
        ),
    ] = None,
) -> Precondition:
    # Several headers are one list.
    header = ", ".join(request.headers.getlist("If-Match"))
    if "If-Match" not in request.headers or header.strip() == "*":
        return Precondition(None)
    if not _TAGS.fullmatch(header):
        raise invalid_request(
            FieldError(field="If-Match", value=display_value(header), code="malformed_entity_tag", message=_MALFORMED)
        )
    # A weak tag remains weak, and so equals no version: If-Match compares strongly.
    return Precondition(frozenset(re.findall(_TAG, header)))


IfMatch = Annotated[Precondition, Depends(_precondition)]
"""Parameter of an endpoint that changes a resource: the versions that the caller names."""
