"""Pages of lists: the cursor parameter, the page, and its ``Link`` header."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Generic, TypeVar
from urllib.parse import urlencode

from fastapi import Query, Request

from shared.http.parameters import MAX_ID, StrictIntText

T = TypeVar("T")

LINK_HEADER: Final[dict[str, Any]] = {
    "Link": {
        "description": 'URL of the next page, if there is one (RFC 8288, `rel="next"`).',
        "schema": {"type": "string"},
    }
}
"""Documents the header of a response that is a page."""

IdCursor = Annotated[
    int | None,
    Query(ge=1, le=MAX_ID, description="Cursor of the page, from the `Link` header of the previous page."),
    StrictIntText,
]
"""Parameter of an endpoint whose list is ordered by id."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A part of a list."""

    items: Sequence[T]
    next_cursor: int | None
    """Cursor of the next page; None on the last page."""


def next_link(request: Request, cursor: int | None) -> dict[str, str]:
    """Return the ``Link`` header to the next page of this request's list; no header on the last page."""
    if cursor is None:
        return {}
    query = urlencode({**request.query_params, "cursor": cursor})
    return {"Link": f'<{request.url.path}?{query}>; rel="next"'}
