"""Event type patterns, subscription states, secrets and signatures, and settings."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError
from standardwebhooks import Webhook, WebhookVerificationError

from services.webhook_svc.domain.event_types import EVENT_TYPES, PING, matches_any, validate_pattern
from services.webhook_svc.domain.signatures import new_secret, signed_headers
from services.webhook_svc.domain.subscription_state import (
    ACTIVE,
    FAILING,
    GONE,
    PAUSED_AFTER,
    SWITCHED_OFF,
    SubscriptionState,
    is_to_be_paused,
    updated_state,
)
from services.webhook_svc.queues import FAN_OUT
from services.webhook_svc.settings import WebhookEventsSettings
from shared.events.catalogue import CATALOGUE


def test_every_event_type_can_be_subscribed_to_and_no_command() -> None:
    assert set(EVENT_TYPES) == CATALOGUE.keys() - {"import.requested.v1"}
    assert set(FAN_OUT.bindings) == set(EVENT_TYPES)
    assert PING not in CATALOGUE


@pytest.mark.parametrize("pattern", [*EVENT_TYPES, "*", "lead.*", "campaign.*", "lead.created.*", "import.*"])
def test_an_event_type_or_a_wildcard_is_valid(pattern: str) -> None:
    assert validate_pattern(pattern) == pattern


@pytest.mark.parametrize(
    "pattern",
    [
        *(
            "",
            "lead",
            "lead.",
            ".*",
            "**",
            "lead.*.v1",
            "*.created.v1",
            "lead*",
            "LEAD.*",
            "lead.created",
            "lead.created.v2",
        ),
        *("order.*", "import.requested.v1", "import.requested.*", PING, "lead.created.v1.*", " lead.*"),
    ],
)
def test_a_pattern_that_matches_no_event_type_is_invalid(pattern: str) -> None:
    with pytest.raises(ValueError, match="must be a type of event"):
        validate_pattern(pattern)


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (("*",), {"lead.created.v1", "lead.deleted.v1", "campaign.created.v1"}),
        (("lead.*",), {"lead.created.v1", "lead.deleted.v1"}),
        (("lead.created.v1",), {"lead.created.v1"}),
        (("lead.created.*", "campaign.*"), {"lead.created.v1", "campaign.created.v1"}),
        ((), set()),
    ],
)
def test_patterns_match_event_types(patterns: tuple[str, ...], expected: set[str]) -> None:
    emitted = {"lead.created.v1", "lead.deleted.v1", "campaign.created.v1"}
    assert {event_type for event_type in emitted if matches_any(patterns, event_type)} == expected


@pytest.mark.parametrize(
    ("current", "active", "expected"),
    [
        (ACTIVE, True, ACTIVE),
        (ACTIVE, False, SWITCHED_OFF),
        (FAILING, True, FAILING),
        (FAILING, False, SWITCHED_OFF),
        (GONE, True, ACTIVE),
        (GONE, False, GONE),
        (SWITCHED_OFF, True, ACTIVE),
        (SWITCHED_OFF, False, SWITCHED_OFF),
    ],
)
def test_the_state_after_an_update(current: SubscriptionState, active: bool, expected: SubscriptionState) -> None:
    assert updated_state(active, current) == expected


@pytest.mark.parametrize(
    ("current", "failing_for", "paused"),
    [
        (ACTIVE, PAUSED_AFTER - timedelta(seconds=1), False),
        (ACTIVE, PAUSED_AFTER, True),
        (FAILING, PAUSED_AFTER, False),
        (SWITCHED_OFF, PAUSED_AFTER, False),
    ],
)
def test_only_an_active_subscription_that_failed_for_a_day_is_paused(
    current: SubscriptionState, failing_for: timedelta, paused: bool
) -> None:
    now = datetime(2024, 3, 2, 12, tzinfo=UTC)
    assert is_to_be_paused(current.status, now - failing_for, now) is paused


def test_a_secret_conforms_to_standard_webhooks() -> None:
    secret = new_secret()
    assert secret.startswith("whsec_")
    assert 24 <= len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) <= 64
    assert new_secret() != secret


def test_the_signature_of_the_specifications_example() -> None:
    """Values of the tests of Standard Webhooks' own libraries."""
    headers = signed_headers(
        ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        datetime.fromtimestamp(1614265330, UTC),
        b'{"test": 2432232314}',
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_the_library_of_standard_webhooks_verifies_either_secret_of_a_rotation() -> None:
    new, previous = new_secret(), new_secret()
    headers = signed_headers([new, previous], "msg_1", datetime.now(UTC), b'{"id": 1}')

    assert Webhook(new).verify(b'{"id": 1}', headers) == {"id": 1}
    assert Webhook(previous).verify(b'{"id": 1}', headers) == {"id": 1}
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(b'{"id": 1}', headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(new).verify(b'{"id": 2}', headers)


SETTINGS = {"database_url": "postgresql://h/d", "amqp_url": "amqp://h", "redis_url": "redis://h"}


def test_networks_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name.upper(), value)
    assert WebhookEventsSettings().destinations.allowed_networks == ()
    monkeypatch.setenv("WEBHOOK_ALLOWED_NETWORKS", "10.1.0.0/16, fd00::/8,")
    networks = WebhookEventsSettings().destinations.allowed_networks
    assert [str(network) for network in networks] == ["10.1.0.0/16", "fd00::/8"]


@pytest.mark.parametrize("networks", ["10.1.0.1/16", "everything", "10.0.0.0/99"])
def test_an_invalid_network_is_rejected_at_the_start(networks: str) -> None:
    with pytest.raises(ValidationError, match="webhook_allowed_networks"):
        WebhookEventsSettings.model_validate({**SETTINGS, "webhook_allowed_networks": networks})
