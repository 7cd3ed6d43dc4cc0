"""A message, and the outcome of one attempt to send it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Message:
    """The content of every attempt of a delivery, and its URL."""

    url: str
    keys: tuple[str, ...]
    """Secrets with which it is signed."""
    event_id: UUID
    body: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of an attempt."""

    started_at: datetime
    seconds: float
    """Until the status of the response, or until the failure."""
    http_status: int | None = None
    """None when there was no response."""
    error: str | None = None
    """What went wrong; None when the receiver accepted the message."""
    retry_after: timedelta | None = None
    """How long the receiver requests no other attempt (``Retry-After``)."""

    @property
    def succeeded(self) -> bool:
        """Whether the receiver accepted the message."""
        return self.error is None

    @property
    def gone(self) -> bool:
        """Whether the receiver wants no more messages, ever (410 Gone)."""
        return self.http_status == 410
