"""The decision after an attempt, and ``Retry-After``."""

from datetime import UTC, datetime, timedelta

import pytest

from services.webhook_svc.domain.event_types import PING
from services.webhook_svc.sending.attempt import Outcome
from services.webhook_svc.sending.delivery_policy import decide
from services.webhook_svc.sending.sender import read_retry_after

NOON = datetime(2024, 3, 1, 12, tzinfo=UTC)
TYPE = "lead.created.v1"


@pytest.mark.parametrize(
    ("header", "pause"),
    [
        ("120", timedelta(minutes=2)),
        (" 0 ", timedelta(0)),
        ("Fri, 01 Mar 2024 12:05:00 GMT", timedelta(minutes=5)),
        ("Fri, 01 Mar 2024 11:00:00 GMT", timedelta(0)),
        ("99999999999999999999", timedelta(seconds=10**9)),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("²", None),
        ("Fri, 99 Mar 2024 12:05:00 GMT", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(header: str, pause: timedelta | None) -> None:
    assert read_retry_after(header, NOON) == pause


def outcome(status: int | None, retry_after: timedelta | None = None) -> Outcome:
    error = None if status is not None and 200 <= status < 300 else "wrong"
    return Outcome(NOON, 0.1, status, error, retry_after)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_a_success(status: int) -> None:
    assert decide(outcome(status), TYPE, 1, timedelta(0)).result == "delivered"


@pytest.mark.parametrize("status", [None, 100, 301, 302, 307, 400, 401, 404, 409, 429, 500, 503])
def test_anything_else_is_retried(status: int | None) -> None:
    decision = decide(outcome(status), TYPE, 1, timedelta(0), draw=lambda: 0.5)
    assert (decision.result, decision.pause, decision.counts) == ("retried", timedelta(seconds=2.5), True)


def test_a_delivery_fails_after_a_day() -> None:
    decision = decide(outcome(500), TYPE, 12, timedelta(days=1))
    assert (decision.result, decision.pause, decision.counts) == ("failed", None, True)


def test_410_ends_the_delivery_at_once() -> None:
    assert decide(outcome(410), TYPE, 1, timedelta(0)).result == "gone"
    assert decide(outcome(410), PING, 1, timedelta(0)).result == "gone"


def test_a_ping_is_sent_once_and_does_not_count() -> None:
    decision = decide(outcome(500), PING, 1, timedelta(0))
    assert (decision.result, decision.pause, decision.counts) == ("failed", None, False)


def test_the_pause_is_as_long_as_the_receiver_requests() -> None:
    decision = decide(outcome(503, timedelta(minutes=10)), TYPE, 1, timedelta(0))
    assert decision.pause == timedelta(minutes=10)
