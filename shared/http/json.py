"""JSON in the contract's forms: UTC times with ``Z`` and whole seconds, money as numbers."""

from decimal import Decimal
from typing import Any

import orjson
from starlette.responses import Response

_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS | orjson.OPT_NON_STR_KEYS


def _as_number(value: object) -> float:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{type(value).__name__} has no JSON form here")


def dump(value: object) -> bytes:
    """Return ``value`` as JSON: rows, datetimes, times and decimals in the contract's forms."""
    return orjson.dumps(value, default=_as_number, option=_OPTIONS)


class JsonResponse(Response):
    """A response of plain values; no model validates what the service itself has just read."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:  # noqa: ANN401
        """Return ``content`` as JSON, or as it is when it is JSON already."""
        return content if isinstance(content, bytes) else dump(content)
