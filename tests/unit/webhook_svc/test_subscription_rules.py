"""Which events a subscription means, the states it goes through, its secrets, and what its settings may say."""

import base64
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from services.webhook_svc.queues import FAN_OUT
from services.webhook_svc.settings import WebhookEventsSettings
from services.webhook_svc.signatures import new_secret, signed_headers
from services.webhook_svc.subscriptions.event_types import EVENT_TYPES, PING, known, wants
from services.webhook_svc.subscriptions.states import ACTIVE, FAILING, GONE, SWITCHED_OFF, Standing, told_to_be
from shared.events.catalogue import CATALOGUE


def test_every_event_there_is_can_be_subscribed_to_and_no_command() -> None:
    assert set(EVENT_TYPES) == CATALOGUE.keys() - {"import.requested.v1"}
    assert set(FAN_OUT.bindings) == set(EVENT_TYPES)
    assert PING not in CATALOGUE


@pytest.mark.parametrize("pattern", [*EVENT_TYPES, "*", "lead.*", "campaign.*", "lead.created.*", "import.*"])
def test_a_type_or_a_wildcard_for_some_is_known(pattern: str) -> None:
    assert known(pattern) == pattern


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
def test_what_nobody_tells_is_not(pattern: str) -> None:
    with pytest.raises(ValueError, match="must be a type of event"):
        known(pattern)


@pytest.mark.parametrize(
    ("patterns", "wanted"),
    [
        (("*",), {"lead.created.v1", "lead.deleted.v1", "campaign.created.v1"}),
        (("lead.*",), {"lead.created.v1", "lead.deleted.v1"}),
        (("lead.created.v1",), {"lead.created.v1"}),
        (("lead.created.*", "campaign.*"), {"lead.created.v1", "campaign.created.v1"}),
        ((), set()),
    ],
)
def test_a_subscription_wants_what_its_patterns_mean(patterns: tuple[str, ...], wanted: set[str]) -> None:
    told = {"lead.created.v1", "lead.deleted.v1", "campaign.created.v1"}
    assert {event_type for event_type in told if wants(patterns, event_type)} == wanted


@pytest.mark.parametrize(
    ("now", "active", "then"),
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
def test_what_a_company_wants_makes_of_a_state(now: Standing, active: bool, then: Standing) -> None:
    assert told_to_be(active, now) == then


def test_a_secret_is_as_standard_webhooks_has_it() -> None:
    secret = new_secret()
    assert secret.startswith("whsec_")
    assert 24 <= len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) <= 64
    assert new_secret() != secret


def test_the_signature_is_that_of_the_specifications_example() -> None:
    """The values of Standard Webhooks' own libraries' tests."""
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


SETTINGS = {"database_url": "postgresql://h/d", "amqp_url": "amqp://h", "redis_url": "redis://h"}


def test_networks_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name.upper(), value)
    assert WebhookEventsSettings().destinations.allowed_networks == ()
    monkeypatch.setenv("WEBHOOK_ALLOWED_NETWORKS", "10.1.0.0/16, fd00::/8,")
    networks = WebhookEventsSettings().destinations.allowed_networks
    assert [str(network) for network in networks] == ["10.1.0.0/16", "fd00::/8"]


@pytest.mark.parametrize("networks", ["10.1.0.1/16", "everything", "10.0.0.0/99"])
def test_what_is_no_network_is_refused_at_the_start(networks: str) -> None:
    with pytest.raises(ValidationError, match="webhook_allowed_networks"):
        WebhookEventsSettings.model_validate({**SETTINGS, "webhook_allowed_networks": networks})
