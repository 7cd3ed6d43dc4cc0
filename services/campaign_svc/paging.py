"""Offset pages: their query parameters and their response."""

from typing import Annotated

from fastapi import Query

from shared.http.json import JsonResponse
from shared.http.parameters import StrictIntText

MAX_OFFSET = 2**31 - 1

Limit = Annotated[int, Query(ge=1, le=200, description="Maximum number of items on the page."), StrictIntText]
Offset = Annotated[int, Query(ge=0, le=MAX_OFFSET, description="Number of items before the page."), StrictIntText]


def page_response(total: int, limit: int, offset: int, rows: bytes) -> JsonResponse:
    """Return the response with one page; ``rows`` is the inside of a JSON array."""
    head = f'{{"total":{total},"offset":{offset},"limit":{limit},"data":['
    return JsonResponse(head.encode() + rows + b"]}")
