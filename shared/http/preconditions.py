"""``ETag`` and ``If-Match``: a change that its caller bases on a version is made to that version or not at all.

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
"""How an answer that carries an entity tag documents it."""


def etag(version: int) -> str:
    """The entity tag of a version."""
    return f'"{version}"'


def precondition_failed(version: int) -> PreconditionFailed:
    """The error for a request that means another version than this one."""
    return PreconditionFailed("Precondition failed", f"If-Match does not name the current version, {etag(version)}")


@dataclass(frozen=True, slots=True)
class Precondition:
    """Which versions a request is meant for; None for whichever there is."""

    tags: frozenset[str] | None

    def require(self, version: int) -> None:
        """Raise ``PreconditionFailed`` unless the request is meant for this version."""
        if self.tags is not None and etag(version) not in self.tags:
            raise PreconditionFailed(
                "Precondition failed", f"If-Match does not name the current version, {etag(version)}"
            )


def _precondition(
    request: Request,
    _documented: Annotated[
        str | None,
        Header(
            alias="If-Match",
            description="The `ETag` of the version that is meant. When it is not the current one, nothing is changed.",
            examples=['"3"'],
        ),
    ] = None,
) -> Precondition:
    # Several headers are one list.
    given = ", ".join(request.headers.getlist("If-Match"))
    if "If-Match" not in request.headers or given.strip() == "*":
        return Precondition(None)
    if not _TAGS.fullmatch(given):
        raise invalid_request(
            FieldError(field="If-Match", value=display_value(given), code="malformed_entity_tag", message=_MALFORMED)
        )
    # A weak tag stays what it is, and so equals no version: If-Match compares strongly.
    return Precondition(frozenset(re.findall(_TAG, given)))


IfMatch = Annotated[Precondition, Depends(_precondition)]
"""Parameter of an endpoint that changes something: which version the caller means."""
