"""The retry schedule: when a failed delivery is sent again, and when it is given up."""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Final

STEPS: Final = (
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=1),
    timedelta(hours=2),
    timedelta(hours=4),
    timedelta(hours=8),
)
"""Longest pause after the first attempt, the second, and so on; the last value applies to all later attempts."""
RETRIED_FOR: Final = timedelta(days=1)
"""From the first attempt to the last."""
SHORTEST_PAUSE: Final = timedelta(seconds=1)
LONGEST_RETRY_AFTER: Final = timedelta(hours=1)
"""Longest ``Retry-After`` that is granted: a receiver must not postpone the end of a delivery for ever."""


def next_pause(
    tries: int,
    tried_for: timedelta,
    retry_after: timedelta | None = None,
    *,
    draw: Callable[[], float] = random.random,
) -> timedelta | None:
    """Return how long to wait before the next attempt; None after the last one.

    A pause is drawn from its whole step ("full jitter"), so that deliveries which failed together are not
    retried together.
    Source: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/

    Parameters
    ----------
    tries
        Attempts so far, at least 1.
    tried_for
        Time since the start of the first attempt.
    retry_after
        Pause that the receiver requests; at most ``LONGEST_RETRY_AFTER`` of it is granted.
    draw
        Returns a number in [0, 1).
    """
    remaining = RETRIED_FOR - tried_for
    if remaining <= timedelta(0):
        return None
    pause = max(SHORTEST_PAUSE, draw() * STEPS[min(tries, len(STEPS)) - 1])
    if retry_after is not None:
        pause = max(pause, min(retry_after, LONGEST_RETRY_AFTER))
    # The last attempt is made at the end of the day: a receiver that is back within the day has missed nothing.
    return min(pause, remaining)
