"""Idempotent execution: a request that is sent again under its key is not executed again.

The result is stored under the key in the transaction of the change itself, so either both are there or neither: a crash
in between cannot lead to a second execution. What is stored is the **result**, as JSON; the endpoint makes the response
of it, the first time and every time after.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database import idempotency_keys
from shared.database.idempotency_keys import IdempotentRequest
from shared.http.errors import Conflict, UnprocessableContent

T = TypeVar("T")

REPLAYED: Final = "Idempotency-Replayed"
"""Header of a response whose request was executed before."""


def in_progress() -> Conflict:
    """Return the error for a request that is being executed at the moment."""
    return Conflict(
        "Request in progress", "A request with this Idempotency-Key is still being processed; send it again later"
    )


def other_content() -> UnprocessableContent:
    """Return the error for a key that came with another request before."""
    return UnprocessableContent(
        "Idempotency-Key already used",
        "This Idempotency-Key came with another request before; a new request needs a new key",
    )


@dataclass(frozen=True, slots=True)
class Idempotent(Generic[T]):
    """The result of a request, and whether it is that of an earlier one."""

    result: T
    replayed: bool

    @property
    def headers(self) -> dict[str, str]:
        """The header that marks a replayed response; none for a first one."""
        return {REPLAYED: "true"} if self.replayed else {}


async def run_idempotent(
    connection: AsyncConnection,
    request: IdempotentRequest | None,
    work: Callable[[], Awaitable[T]],
    *,
    encode: Callable[[T], bytes],
    decode: Callable[[bytes], T],
    is_still_valid: Callable[[T], Awaitable[bool]] | None = None,
) -> Idempotent[T]:
    """Execute ``work`` in the connection's transaction, unless the same request was executed before.

    The caller's permission must be checked before: a replayed result is returned without ``work``.

    Parameters
    ----------
    request
        The request under its key. None when it has none: then ``work`` is executed.
    encode, decode
        The result as it is stored, and back. What the response is made of must survive, so that a replayed one is the
        same byte for byte: its headers are derived from the result.
    is_still_valid
        Returns whether a stored result is still valid. If not, nothing came of it, and the key is free again. None
        where a stored result is final.

    Raises
    ------
    Conflict
        If the same request is being executed at the moment.
    UnprocessableContent
        If the key came with another request before.
    """
    if request is None:
        return Idempotent(await work(), replayed=False)
    if not await idempotency_keys.lock(connection, request):
        raise in_progress()
    stored = await idempotency_keys.find(connection, request)
    if stored is not None:
        result = decode(stored.result)
        if is_still_valid is None or await is_still_valid(result):
            if stored.fingerprint != request.fingerprint:
                raise other_content()
            return Idempotent(result, replayed=True)
    result = await work()
    await idempotency_keys.store(connection, request, encode(result))
    return Idempotent(result, replayed=False)
