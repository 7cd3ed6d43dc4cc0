"""Pages of lists: which part of a list is asked for, and how it is answered."""

from typing import Annotated

from fastapi import Query

from shared.http.json import JsonResponse
from shared.http.parameters import StrictIntText

LARGEST_OFFSET = 2**31 - 1

Limit = Annotated[int, Query(ge=1, le=200, description="Most that a page holds."), StrictIntText]
Offset = Annotated[int, Query(ge=0, le=LARGEST_OFFSET, description="How many come before the page."), StrictIntText]


def page_answer(total: int, limit: int, offset: int, rows: bytes) -> JsonResponse:
    """The answer of one page, whose rows are the inside of a JSON array."""
    head = f'{{"total":{total},"offset":{offset},"limit":{limit},"data":['
    return JsonResponse(head.encode() + rows + b"]}")
