"""The header ``Idempotency-Key``: reading it, and documenting a response that may be replayed.

The key is the caller's own. ``shared/idempotent_execution.py`` executes a request once and stores its
result under the key. Source: draft-ietf-httpapi-idempotency-key-header.
"""

import hashlib
import re
from typing import Annotated, Any, Final

from fastapi import Depends, Header, Request

from shared.database.idempotency_keys import IdempotentRequest
from shared.http.auth import Caller, Principal
from shared.http.errors import FieldError, display_value, invalid_request
from shared.idempotent_execution import REPLAYED

REPLAYED_HEADER: Final[dict[str, Any]] = {
    REPLAYED: {
        "description": "`true` when the request was executed before and this is its response again.",
        "schema": {"type": "string"},
    }
}
"""How a response that may be a replayed one documents it."""
MAX_KEY_LENGTH: Final = 255
_QUOTED: Final = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])+)"')
"""A string of RFC 8941, as the draft requires it."""
_BARE: Final = re.compile(r"[!#-+\--~]+")
"""What most clients send: the key without quotes."""
_MALFORMED: Final = f"must be 1 to {MAX_KEY_LENGTH} printable ASCII characters, with or without quotes"


async def _key(
    key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            description="A key of your choice, such as a UUID. For 24 hours a request that is sent again with its key "
            "is not executed again and gets the response of the first time.",
            examples=["8e03978e-40d5-43dd-bc93-6894a57f9324"],
        ),
    ] = None,
) -> str | None:
    if key is None:
        return None
    quoted = _QUOTED.fullmatch(key)
    bare = quoted[1] if quoted else key
    if len(bare) > MAX_KEY_LENGTH or not (quoted or _BARE.fullmatch(key)):
        raise invalid_request(
            FieldError(field="Idempotency-Key", value=display_value(key), code="malformed_key", message=_MALFORMED)
        )
    return bare


RawIdempotencyKey = Annotated[str | None, Depends(_key)]
"""The key itself, for an endpoint that reads its request on its own and calls `idempotent_request`."""


def idempotent_request(request: Request, caller: Principal, key: str, *content: bytes) -> IdempotentRequest:
    """Return the request under its key.

    Parameters
    ----------
    content
        The parts that a repeated request must send alike. None of them runs into the next.
    """
    fingerprint = hashlib.sha256()
    for part in content:
        fingerprint.update(part)
    return IdempotentRequest(
        subject=caller.subject,
        operation=f"{request.method} {request.url.path}",
        key=key,
        fingerprint=fingerprint.digest(),
    )


async def _keyed_by_body(request: Request, caller: Caller, key: RawIdempotencyKey) -> IdempotentRequest | None:
    return None if key is None else idempotent_request(request, caller, key, await request.body())


IdempotencyKey = Annotated[IdempotentRequest | None, Depends(_keyed_by_body)]
"""Parameter of an endpoint whose request may carry a key; None when it carries none."""
