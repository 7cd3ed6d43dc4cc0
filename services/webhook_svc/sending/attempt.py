"""One attempt to deliver a message, and what its end means."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final
from uuid import UUID

import httpx

from services.webhook_svc.sending.transport import MOST_ADDRESSES, DestinationRefused
from services.webhook_svc.signatures import signed_headers
from shared.events.envelope import CONTENT_TYPE

USER_AGENT: Final = "VoiceCampaigns-Webhooks/1"
MOST_READ: Final = 16_384
"""Bytes of an answer that are taken in before the connection is closed. What they say is nobody's business here."""
READ_SECONDS: Final = 1.0
"""How long they may take. Whoever sends an answer may then end in peace; it is not waited for."""
_SHOWN: Final = 200
_RETRY_AFTER_STATUSES: Final = frozenset({429, 503})


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent, and where to."""

    url: str
    keys: tuple[str, ...]
    """Secrets that it is signed with."""
    event_id: UUID
    body: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended."""

    started_at: datetime
    seconds: float
    http_status: int | None = None
    """None when there was no answer."""
    error: str | None = None
    """What is wrong; None when the receiver has taken the message."""
    retry_after: timedelta | None = None
    """How long the receiver wants to be left alone."""

    @property
    def succeeded(self) -> bool:
        """Whether the receiver has taken the message."""
        return self.error is None

    @property
    def gone(self) -> bool:
        """Whether the receiver wants no more messages, ever."""
        return self.http_status == 410


def _now() -> datetime:
    return datetime.now(UTC)


class Sender:
    """Makes attempts.

    Parameters
    ----------
    transport
        Carries requests.
    attempt_seconds
        How long an attempt may take until the answer's status is there, all in all.
    clock
        The time, for signatures.
    """

    def __init__(
        self, transport: httpx.AsyncBaseTransport, *, attempt_seconds: float, clock: Callable[[], datetime] = _now
    ) -> None:
        self._attempt_seconds = attempt_seconds
        self._clock = clock
        # The limit for the whole stands around a request; here, each of a name's addresses gets its part of it.
        timeout = httpx.Timeout(attempt_seconds, connect=attempt_seconds / MOST_ADDRESSES)
        self._client = httpx.AsyncClient(transport=transport, timeout=timeout, follow_redirects=False, trust_env=False)

    async def send(self, message: Message) -> Outcome:
        """Make an attempt; whatever comes of it is its outcome, and nothing is raised."""
        started_at = self._clock()
        started = time.monotonic()
        headers = {
            "Content-Type": CONTENT_TYPE,
            "User-Agent": USER_AGENT,
            "Accept": "*/*",
            "Accept-Encoding": "identity",
            "Connection": "close",
            **signed_headers(message.keys, str(message.event_id), started_at, message.body),
        }
        request = self._client.build_request("POST", message.url, content=message.body, headers=headers)
        try:
            async with asyncio.timeout(self._attempt_seconds):
                response = await self._client.send(request, stream=True)
        except (TimeoutError, httpx.ReadTimeout, httpx.WriteTimeout):
            error = f"No answer within {self._attempt_seconds:g} s"
            return Outcome(started_at, time.monotonic() - started, error=error)
        except httpx.ConnectTimeout:
            return Outcome(started_at, time.monotonic() - started, error="The host cannot be connected to")
        except (DestinationRefused, httpx.HTTPError) as problem:
            return Outcome(started_at, time.monotonic() - started, error=_described(problem))
        seconds = time.monotonic() - started
        await _let_go(response)
        return _judged(response, started_at, seconds)

    async def close(self) -> None:
        """Close what is open."""
        await self._client.aclose()


def _judged(response: httpx.Response, started_at: datetime, seconds: float) -> Outcome:
    status = response.status_code
    if response.is_success:
        return Outcome(started_at, seconds, status)
    error = f"Answered {status}"
    if response.is_redirect:
        error = f"Answered {status}; redirects are not followed"
    retry_after = None
    if status in _RETRY_AFTER_STATUSES:
        retry_after = read_retry_after(response.headers.get("Retry-After", ""), started_at)
    return Outcome(started_at, seconds, status, error, retry_after)


def read_retry_after(header: str, now: datetime) -> timedelta | None:
    """What ``Retry-After`` asks for, as seconds or as a date (RFC 9110, section 10.2.3); None if it says neither."""
    header = header.strip()
    if header.isascii() and header.isdigit():
        return timedelta(seconds=min(int(header[:10]), 10**9))
    try:
        at = parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(timedelta(0), (at if at.tzinfo else at.replace(tzinfo=UTC)) - now)


async def _let_go(response: httpx.Response) -> None:
    """Take in a little of the answer and close the connection; its end does not matter any more."""
    with suppress(httpx.HTTPError, TimeoutError):
        async with asyncio.timeout(READ_SECONDS):
            read = 0
            async for piece in response.aiter_raw():
                read += len(piece)
                if read > MOST_READ:
                    break
    with suppress(httpx.HTTPError):
        await response.aclose()


def _described(problem: Exception) -> str:
    return (str(problem) or type(problem).__name__)[:_SHOWN]
