"""Decides what an attempt's outcome means for its delivery; the database only records the decision."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from services.webhook_svc.domain.event_types import PING
from services.webhook_svc.sending.attempt import Outcome
from services.webhook_svc.sending.retry_schedule import next_pause


class Result(StrEnum):
    """What happens to a delivery after an attempt; the label ``result`` of the metric of attempts."""

    DELIVERED = "delivered"
    RETRIED = "retried"
    FAILED = "failed"
    GONE = "gone"
    """Failed, and the receiver wants no more messages."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The result of an attempt for its delivery and its subscription."""

    result: Result
    pause: timedelta | None = None
    """Until the next attempt; None when there is none."""
    counts: bool = True
    """Whether a failure counts against the subscription."""


def decide(
    outcome: Outcome,
    event_type: str,
    tries: int,
    tried_for: timedelta,
    *,
    draw: Callable[[], float] = random.random,
) -> Decision:
    """Decide whether a delivery is complete, retried or failed.

    A ping is sent once and does not count: its sender waits for the result of one attempt.

    Parameters
    ----------
    tries
        Attempts of the delivery, this one included; at least 1.
    tried_for
        Time since the start of the first attempt.
    draw
        Returns a number in [0, 1).
    """
    if outcome.succeeded:
        return Decision(Result.DELIVERED)
    if outcome.gone:
        return Decision(Result.GONE)
    if event_type == PING:
        return Decision(Result.FAILED, counts=False)
    pause = next_pause(tries, tried_for, outcome.retry_after, draw=draw)
    return Decision(Result.FAILED) if pause is None else Decision(Result.RETRIED, pause)
