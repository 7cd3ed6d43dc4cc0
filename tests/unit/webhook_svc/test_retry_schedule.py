"""The retry schedule: growing pauses, drawn from their whole step, for one day."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.webhook_svc.sending.retry_schedule import (
    LONGEST_RETRY_AFTER,
    RETRIED_FOR,
    SHORTEST_PAUSE,
    STEPS,
    next_pause,
)

DAY = timedelta(days=1)
HIGHEST_DRAW = 1 - 2**-53
draws = st.floats(0, 1, exclude_max=True)
times = st.timedeltas(timedelta(0), timedelta(days=3))
retry_afters = st.none() | st.timedeltas(timedelta(0), timedelta(days=400))


def test_the_steps_are_the_documented_ones() -> None:
    minute, hour = timedelta(minutes=1), timedelta(hours=1)
    documented = (
        timedelta(seconds=5),
        timedelta(seconds=30),
        2 * minute,
        10 * minute,
        30 * minute,
        hour,
        2 * hour,
        4 * hour,
        8 * hour,
    )
    assert documented == STEPS
    assert RETRIED_FOR == DAY


@given(st.integers(1, 100), times, retry_afters, draws)
def test_no_attempt_is_made_after_a_day(
    tries: int, tried_for: timedelta, retry_after: timedelta | None, draw: float
) -> None:
    pause = next_pause(tries, tried_for, retry_after, draw=lambda: draw)
    if tried_for >= DAY:
        assert pause is None
    else:
        assert pause is not None
        assert timedelta(0) < pause <= DAY - tried_for


@given(st.integers(1, 100), draws)
def test_a_pause_is_at_most_its_step(tries: int, draw: float) -> None:
    pause = next_pause(tries, timedelta(0), draw=lambda: draw)
    step = STEPS[min(tries, len(STEPS)) - 1]
    assert pause == max(SHORTEST_PAUSE, draw * step)
    assert pause <= step


def test_a_pause_is_drawn_from_the_whole_step() -> None:
    for tries, step in enumerate(STEPS, 1):
        assert next_pause(tries, timedelta(0), draw=lambda: 0.0) == SHORTEST_PAUSE
        highest = next_pause(tries, timedelta(0), draw=lambda: HIGHEST_DRAW)
        assert highest is not None
        assert step - highest < timedelta(milliseconds=1)


@given(st.integers(1, 20), retry_afters.filter(lambda pause: pause is not None), draws)
def test_retry_after_lengthens_a_pause_within_bounds(tries: int, retry_after: timedelta, draw: float) -> None:
    drawn = next_pause(tries, timedelta(0), draw=lambda: draw)
    pause = next_pause(tries, timedelta(0), retry_after, draw=lambda: draw)
    assert drawn is not None
    assert pause == max(drawn, min(retry_after, LONGEST_RETRY_AFTER))


@given(st.lists(st.tuples(draws, retry_afters), min_size=1))
def test_the_last_attempt_is_made_at_the_end_of_the_day(course: list[tuple[float, timedelta | None]]) -> None:
    """A receiver that is back within the day has missed nothing, whatever was drawn."""
    tried_for, tries = timedelta(0), 1
    while True:
        draw, retry_after = course[tries % len(course)]
        pause = next_pause(tries, tried_for, retry_after, draw=lambda draw=draw: max(draw, 0.01))  # type: ignore[misc]
        if pause is None:
            break
        tried_for += pause
        tries += 1
    assert tried_for == DAY
    assert tries < 2_000
