"""Sends a message once and reports the outcome."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

import httpx

from services.webhook_svc.domain.signatures import signed_headers
from services.webhook_svc.sending.attempt import Message, Outcome
from services.webhook_svc.sending.transport import MAX_ADDRESSES, DestinationNotAllowedError
from shared.events.envelope import CONTENT_TYPE

USER_AGENT: Final = "VoiceCampaigns-Webhooks/1"
MAX_RESPONSE_BYTES: Final = 16_384
"""Bytes of a response body that are read, and ignored, before the connection is closed."""
RESPONSE_READ_SECONDS: Final = 1.0
"""How long reading them may take: most receivers can finish their response, and no other is waited for."""
_MAX_ERROR_LENGTH: Final = 200
_RETRY_AFTER_STATUSES: Final = frozenset({429, 503})


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Sender:
    """Makes attempts.

    Parameters
    ----------
    transport
        Carries the requests.
    attempt_seconds
        Deadline of an attempt, from its start to the status of the response.
    clock
        Returns the current time; it goes into signatures.
    """

    def __init__(
        self, transport: httpx.AsyncBaseTransport, *, attempt_seconds: float, clock: Callable[[], datetime] = _utc_now
    ) -> None:
        self._attempt_seconds = attempt_seconds
        self._clock = clock
        # `send` limits the whole attempt; here, each address of a name gets its share of it for connecting.
        timeout = httpx.Timeout(attempt_seconds, connect=attempt_seconds / MAX_ADDRESSES)
        self._client = httpx.AsyncClient(transport=transport, timeout=timeout, follow_redirects=False, trust_env=False)

    async def send(self, message: Message) -> Outcome:
        """Make one attempt. Every failure becomes an outcome; nothing is raised."""
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
        except (DestinationNotAllowedError, httpx.HTTPError) as error:
            return Outcome(started_at, time.monotonic() - started, error=_error_text(error))
        seconds = time.monotonic() - started
        await _discard_body(response)
        return _outcome(response, started_at, seconds)

    async def close(self) -> None:
        """Close open connections."""
        await self._client.aclose()


def read_retry_after(header: str, now: datetime) -> timedelta | None:
    """Return the pause that ``Retry-After`` requests, as seconds or as a date; None if it is neither.

    Source: RFC 9110, section 10.2.3.
    """
    header = header.strip()
    if header.isascii() and header.isdigit():
        return timedelta(seconds=min(int(header[:10]), 10**9))
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(timedelta(0), (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now)


def _outcome(response: httpx.Response, started_at: datetime, seconds: float) -> Outcome:
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


async def _discard_body(response: httpx.Response) -> None:
    """Read a little of the body and close the connection; a failure from here on does not change the outcome."""
    with suppress(httpx.HTTPError, TimeoutError):
        async with asyncio.timeout(RESPONSE_READ_SECONDS):
            read = 0
            async for chunk in response.aiter_raw():
                read += len(chunk)
                if read > MAX_RESPONSE_BYTES:
                    break
    with suppress(httpx.HTTPError):
        await response.aclose()


def _error_text(error: Exception) -> str:
    return (str(error) or type(error).__name__)[:_MAX_ERROR_LENGTH]
