"""When a delivery that failed is tried again, and when no more."""

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
"""Longest pause after the first attempt, the second …; the last of them after each further one."""
TRIED_FOR: Final = timedelta(days=1)
"""From the first attempt to the last."""
SHORTEST: Final = timedelta(seconds=1)
LONGEST_RETRY_AFTER: Final = timedelta(hours=1)
"""Most of what a receiver asks for with ``Retry-After`` that is granted: it must not put off the end for all."""


def next_pause(
    tries: int,
    tried_for: timedelta,
    retry_after: timedelta | None = None,
    *,
    draw: Callable[[], float] = random.random,
) -> timedelta | None:
    """How long to wait before the next attempt; None when the last one was made.

    A pause is drawn from all of its step ("full jitter"), so that what failed together does not come back together.
    Source: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/

    Parameters
    ----------
    tries
        Attempts so far, at least 1.
    tried_for
        Since the start of the first.
    retry_after
        What the receiver asked for.
    draw
        A number from 0 to below 1.
    """
    left = TRIED_FOR - tried_for
    if left <= timedelta(0):
        return None
    pause = max(SHORTEST, draw() * STEPS[min(tries, len(STEPS)) - 1])
    if retry_after is not None:
        pause = max(pause, min(retry_after, LONGEST_RETRY_AFTER))
    # The last attempt is made when the day is over: a receiver that is back within it has missed nothing.
    return min(pause, left)
