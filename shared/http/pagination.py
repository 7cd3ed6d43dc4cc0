"""Pages of lists: cursors with a ``Link`` to the next page, or an offset with the total.

A cursor is the place where the previous page ended, so a page costs the same at any depth, and rows that come or
go meanwhile shift no page. Lists of campaigns have an offset and a total: the contract's way.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Generic, TypeVar
from urllib.parse import urlencode

from fastapi import Query, Request

from shared.http.json import JsonResponse
from shared.ids import MAX_ID
from shared.schema import StrictIntText

T = TypeVar("T")

MAX_OFFSET: Final = 2**31 - 1

LINK_HEADER: Final[dict[str, Any]] = {
    "Link": {
        "description": 'The next page, where there is one (RFC 8288, `rel="next"`).',
        "schema": {"type": "string"},
    }
}
"""How a response that may have a next page documents its ``Link``."""

CURSOR_DESCRIPTION: Final = "Where the previous page ended, from its `Link`."

IdCursor = Annotated[int | None, Query(ge=1, le=MAX_ID, description=CURSOR_DESCRIPTION), StrictIntText]
"""``cursor`` of the query: the id with which the previous page ended; None for the first page."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A page of a list.

    Parameters
    ----------
    items
        The rows of the page, in the list's order.
    next_cursor
        Where the page ends; None when it is the last.
    """

    items: Sequence[T]
    next_cursor: int | str | None = None

    @classmethod
    def of(cls, rows: Sequence[T], limit: int, cursor_of: Callable[[T], int | str]) -> "Page[T]":
        """Make a page of rows that were read with a limit of one more than the page's: the extra row proves a next."""
        items = rows[:limit]
        return cls(items, cursor_of(items[-1]) if len(rows) > limit else None)


def page_limit(maximum: int, items: str) -> Any:  # noqa: ANN401 - as FastAPI's own Query
    """Return the parameter ``limit`` of a list: from 1 to ``maximum`` of its ``items``, as `leads`.

    To be used with ``StrictIntText``, and a default.
    """
    return Query(ge=1, le=maximum, description=f"Maximum number of {items} per page.")


def next_link(request: Request, cursor: int | str | None, **parameters: object) -> dict[str, str]:
    """Return the ``Link`` header to the page after ``cursor``; no header when there is none.

    Parameters
    ----------
    parameters
        Parameters that the link names even where the request left them out, such as the limit.
    """
    if cursor is None:
        return {}
    query = urlencode({**request.query_params, **parameters, "cursor": cursor})
    return {"Link": f'<{request.url.path}?{query}>; rel="next"'}


Limit = Annotated[int, page_limit(200, "campaigns or members"), StrictIntText]
Offset = Annotated[
    int, Query(ge=0, le=MAX_OFFSET, description="Number of items to skip before the page."), StrictIntText
]


def offset_page(total: int, limit: int, offset: int, rows: bytes) -> JsonResponse:
    """Return the response of one page of a list with offsets.

    Parameters
    ----------
    total
        Number of rows on all pages.
    rows
        The rows of the page, as the inside of a JSON array: PostgreSQL made it, and no model is run over it.
    """
    head = f'{{"total":{total},"offset":{offset},"limit":{limit},"data":['
    return JsonResponse(head.encode() + rows + b"]}")
