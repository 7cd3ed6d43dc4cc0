"""Request schemas: values that are rejected, and the fields that the errors name."""

from typing import Any

import pytest
from pydantic import ValidationError

from services.webhook_svc.deliveries.schemas import RedeliveryRequest
from services.webhook_svc.subscriptions.schemas import SubscriptionCreate, SubscriptionUpdate

BODY: dict[str, Any] = {"url": "https://example.com/hook", "types": ["lead.*"], "description": "CRM", "active": True}


@pytest.mark.parametrize(
    ("changes", "location"),
    [
        ({"url": ""}, ("url",)),
        ({"url": "https://example.com/" + "a" * 2048}, ("url",)),
        ({"url": None}, ("url",)),
        ({"url": "https://example.com/\x00"}, ("url",)),
        ({"types": []}, ("types",)),
        ({"types": ["order.*"]}, ("types", 0)),
        ({"types": ["lead.*", "import.requested.v1"]}, ("types", 1)),
        ({"types": "lead.*"}, ("types",)),
        ({"types": ["*"] * 51}, ("types",)),
        ({"description": "x" * 501}, ("description",)),
        ({"description": "\x00"}, ("description",)),
        ({"active": "yes"}, ("active",)),
        ({"secret": "whsec_bWluZQ=="}, ("secret",)),
        ({"company_id": 7}, ("company_id",)),
    ],
)
@pytest.mark.parametrize("schema", [SubscriptionCreate, SubscriptionUpdate])
def test_an_invalid_subscription_is_rejected(
    schema: type[SubscriptionCreate], changes: dict[str, Any], location: tuple[str | int, ...]
) -> None:
    with pytest.raises(ValidationError) as rejected:
        schema.model_validate(BODY | changes)
    assert [error["loc"] for error in rejected.value.errors()] == [location]


def test_absent_fields_get_their_defaults_and_repeated_types_count_once() -> None:
    values = SubscriptionCreate.model_validate({"url": BODY["url"], "types": ["lead.*", "*", "lead.*"]}).values()
    assert (values.types, values.description, values.active) == (("lead.*", "*"), None, True)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"since": "2024-03-01"},
        {"since": "2024-03-01T00:00:00"},
        {"since": "9999-12-31T23:59:59-12:00"},
        {"since": "2024-03-02T00:00:00Z", "until": "2024-03-01T00:00:00Z"},
        {"since": "2024-03-01T00:00:00Z", "status": "pending"},
        {"since": "2024-03-01T00:00:00Z", "limit": 1},
    ],
)
def test_an_invalid_redelivery_range_is_rejected(body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RedeliveryRequest.model_validate(body)
