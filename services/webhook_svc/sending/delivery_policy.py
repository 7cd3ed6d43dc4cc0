"""What an attempt's outcome makes of its delivery. One place decides, and the database is told."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from services.webhook_svc.sending.attempt import Outcome
from services.webhook_svc.sending.retry_schedule import next_pause
from services.webhook_svc.subscriptions.event_types import PING

Result = Literal["delivered", "retried", "failed", "gone"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a delivery."""

    result: Result
    pause: timedelta | None = None
    """Until the next attempt, when there is to be one."""
    counts: bool = True
    """Whether it says something of how the subscription's endpoint fares."""


def judge(
    outcome: Outcome,
    event_type: str,
    tries: int,
    tried_for: timedelta,
    *,
    draw: Callable[[], float] = random.random,
) -> Verdict:
    """Decide on a delivery.

    Parameters
    ----------
    event_type
        A test is sent once: whoever asked for it is waiting for its outcome, not for its success.
    tries, tried_for
        Attempts made, this one included, and the time since the start of the first.
    """
    if outcome.succeeded:
        return Verdict("delivered")
    if outcome.gone:
        return Verdict("gone")
    if event_type == PING:
        return Verdict("failed", counts=False)
    pause = next_pause(tries, tried_for, outcome.retry_after, draw=draw)
    return Verdict("failed") if pause is None else Verdict("retried", pause)
