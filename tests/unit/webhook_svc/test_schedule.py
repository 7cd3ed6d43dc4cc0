"""When a delivery is tried again: pauses that grow, drawn from their whole step, for a day and no longer."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.webhook_svc.sending.retry_schedule import LONGEST_RETRY_AFTER, SHORTEST, STEPS, TRIED_FOR, next_pause

DAY = timedelta(days=1)
HIGHEST_DRAW = 1 - 2**-53
draws = st.floats(0, 1, exclude_max=True)
times = st.timedeltas(timedelta(0), timedelta(days=3))
asked_for = st.none() | st.timedeltas(timedelta(0), timedelta(days=400))


def test_the_steps_are_the_documented_ones() -> None:
    minute, hour = timedelta(minutes=1), timedelta(hours=1)
    documented_errors = (
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
    assert documented_errors == STEPS
    assert TRIED_FOR == DAY


@given(st.integers(1, 100), times, asked_for, draws)
def test_no_attempt_is_made_after_the_day(
    tries: int, tried_for: timedelta, retry_after: timedelta | None, draw: float
) -> None:
    pause = next_pause(tries, tried_for, retry_after, draw=lambda: draw)
    if tried_for >= DAY:
        assert pause is None
    else:
        assert pause is not None
        assert timedelta(0) < pause <= DAY - tried_for


@given(st.integers(1, 100), draws)
def test_a_pause_is_anything_up_to_its_step(tries: int, draw: float) -> None:
    pause = next_pause(tries, timedelta(0), draw=lambda: draw)
    step = STEPS[min(tries, len(STEPS)) - 1]
    assert pause == max(SHORTEST, draw * step)
    assert pause <= step


def test_all_of_a_step_is_drawn_from() -> None:
    for tries, step in enumerate(STEPS, 1):
        assert next_pause(tries, timedelta(0), draw=lambda: 0.0) == SHORTEST
        highest = next_pause(tries, timedelta(0), draw=lambda: HIGHEST_DRAW)
        assert highest is not None
        assert step - highest < timedelta(milliseconds=1)


@given(st.integers(1, 20), asked_for.filter(lambda given: given is not None), draws)
def test_who_asks_for_time_gets_it_within_bounds(tries: int, retry_after: timedelta, draw: float) -> None:
    usual = next_pause(tries, timedelta(0), draw=lambda: draw)
    pause = next_pause(tries, timedelta(0), retry_after, draw=lambda: draw)
    assert usual is not None
    assert pause == max(usual, min(retry_after, LONGEST_RETRY_AFTER))


@given(st.lists(st.tuples(draws, asked_for), min_size=1))
def test_the_last_attempt_is_made_when_the_day_is_over(course: list[tuple[float, timedelta | None]]) -> None:
    """Whatever is drawn: a receiver that is back within the day has missed nothing."""
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
