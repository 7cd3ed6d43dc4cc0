"""``Idempotency-Key``: a request that is sent again is answered again, and done once.

The key is the caller's own. It is kept, with the answer, in the transaction of what was done, so either both are there
or neither. Source: draft-ietf-httpapi-idempotency-key-header.
"""

import hashlib
import re
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final

from fastapi import Depends, Header, Request
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from shared.database import idempotency_keys
from shared.database.idempotency_keys import IdempotentRequest
from shared.http.auth import Caller, Principal
from shared.http.errors import Conflict, FieldError, UnprocessableContent, display_value, invalid_request
from shared.http.json import JsonResponse

REPLAYED: Final = "Idempotency-Replayed"
"""Header of an answer that was given before."""
REPLAYED_HEADER: Final[dict[str, Any]] = {
    REPLAYED: {"description": "`true` when the answer was given before.", "schema": {"type": "string"}}
}
"""How an answer that may be a repeated one documents it."""
_LONGEST: Final = 255
_QUOTED: Final = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])+)"')
"""A string of RFC 8941, as the draft has it."""
_BARE: Final = re.compile(r"[!#-+\--~]+")
"""What most clients send: the key as it is."""
_OF_THE_ANSWER: Final = ("ETag", "Location")

_MALFORMED: Final = f"must be 1 to {_LONGEST} printable ASCII characters, with or without quotes"


def in_progress() -> Conflict:
    """The error for a request that is just being done."""
    return Conflict(
        "Request in progress", "A request with this Idempotency-Key is still being processed; send it again later"
    )


def other_content() -> UnprocessableContent:
    """The error for a key that came with something else before."""
    return UnprocessableContent(
        "Idempotency-Key already used",
        "This Idempotency-Key came with another request before; a new request needs a new key",
    )


async def _key(
    key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            description="A key of your choice, such as a UUID. The same request with the same key is done once, and "
            "answered as it was the first time, for 24 hours.",
            examples=["8e03978e-40d5-43dd-bc93-6894a57f9324"],
        ),
    ] = None,
) -> str | None:
    if key is None:
        return None
    quoted = _QUOTED.fullmatch(key)
    bare = quoted[1] if quoted else key
    if len(bare) > _LONGEST or not (quoted or _BARE.fullmatch(key)):
        raise invalid_request(
            FieldError(field="Idempotency-Key", value=display_value(key), code="malformed_key", message=_MALFORMED)
        )
    return bare


RawIdempotencyKey = Annotated[str | None, Depends(_key)]
"""The key itself, for an endpoint that reads its request on its own and calls `idempotent_request`."""


def idempotent_request(request: Request, caller: Principal, key: str, *sent: bytes) -> IdempotentRequest:
    """The request under its key; the same request has sent the same parts, none of which runs into the next."""
    fingerprint = hashlib.sha256()
    for part in sent:
        fingerprint.update(part)
    return IdempotentRequest(
        subject=caller.subject,
        operation=f"{request.method} {request.url.path}",
        key=key,
        fingerprint=fingerprint.digest(),
    )


async def _keyed_by_its_body(request: Request, caller: Caller, key: RawIdempotencyKey) -> IdempotentRequest | None:
    return None if key is None else idempotent_request(request, caller, key, await request.body())


IdempotencyKey = Annotated[IdempotentRequest | None, Depends(_keyed_by_its_body)]
"""Parameter of an endpoint whose request may carry a key; None when it carries none."""


async def once(
    connection: AsyncConnection,
    request: IdempotentRequest | None,
    work: Callable[[], Awaitable[JsonResponse]],
    *,
    stands: Callable[[bytes], Awaitable[bool]] | None = None,
) -> Response:
    """Do what a request asks for, unless the same request was answered before: then answer it so again.

    Whether the caller may ask for it must be settled before.

    Parameters
    ----------
    stands
        Whether the body of an answer still says what was done; of one that does not, nothing was done after all, and
        its key is free again. None where an answer is the end of its request.

    Raises
    ------
    Conflict
        If the same request is just being done.
    UnprocessableContent
        If the key came with something else before.
    """
    if request is None:
        return await work()
    if not await idempotency_keys.hold(connection, request):
        raise in_progress()
    kept = await idempotency_keys.find(connection, request)
    if kept is None or (stands is not None and not await stands(kept.body)):
        answer = await work()
        headers = {name: answer.headers[name] for name in _OF_THE_ANSWER if name in answer.headers}
        await idempotency_keys.keep(
            connection, request, status=answer.status_code, headers=headers, body=bytes(answer.body)
        )
        return answer
    if kept.fingerprint != request.fingerprint:
        raise other_content()
    return JsonResponse(kept.body, status_code=kept.status, headers={**kept.headers, REPLAYED: "true"})
