"""Request and response schemas of subscriptions."""

from datetime import datetime
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool

from services.webhook_svc.domain.destinations import MAX_URL_LENGTH
from services.webhook_svc.domain.event_types import validate_pattern
from services.webhook_svc.domain.subscription_state import StatusReason, SubscriptionStatus
from services.webhook_svc.subscriptions.subscription import Subscription, SubscriptionValues
from shared.schema import Schema

EXAMPLE: Final[dict[str, Any]] = {
    "url": "https://example.com/hooks/voice",
    "types": ["lead.*", "campaign.status_changed.v1"],
    "description": "CRM",
    "active": True,
}
READ_EXAMPLE: Final[dict[str, Any]] = {
    "id": 7,
    "company_id": 1,
    **EXAMPLE,
    "status": "active",
    "status_reason": None,
    "status_since": "2024-03-01T09:00:00Z",
    "failing_since": None,
    "previous_secret_until": None,
    "created_at": "2024-03-01T09:00:00Z",
    "updated_at": "2024-03-01T09:00:00Z",
}
SECRET_EXAMPLE: Final = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="  # noqa: S105 - of no subscription

EventTypePattern = Annotated[str, Field(max_length=100), AfterValidator(validate_pattern)]


class SubscriptionCreate(Schema):
    """A new subscription."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    url: Annotated[str, Field(min_length=1, max_length=MAX_URL_LENGTH)] = Field(
        description="URL to which events are posted: `https`, without user name and password, at a public address."
    )
    types: Annotated[list[EventTypePattern], Field(min_length=1, max_length=50)] = Field(
        description="Event types, such as `lead.created.v1`, or wildcards: `lead.*` for all that begin so, `*` for all."
    )
    description: Annotated[str, Field(max_length=500)] | None = Field(
        default=None, description="A note for people; the system does not use it."
    )
    active: StrictBool = Field(default=True, description="False disables the subscription: events skip it.")

    def values(self) -> SubscriptionValues:
        """Return the values to store; a repeated type counts once."""
        return SubscriptionValues(self.url, tuple(dict.fromkeys(self.types)), self.description, self.active)


class SubscriptionUpdate(SubscriptionCreate):
    """The new values of a subscription; a field that is absent gets its default."""


class SubscriptionRead(BaseModel):
    """A subscription without its secret."""

    model_config = ConfigDict(from_attributes=True, json_schema_extra={"examples": [READ_EXAMPLE]})

    id: int
    company_id: int
    url: str
    types: list[str]
    description: str | None
    active: bool = Field(description="False when `status` is `disabled`.")
    status: SubscriptionStatus = Field(
        description="`active`: events are sent. `paused`: events are retained until the subscription is resumed."
        " `disabled`: events skip the subscription."
    )
    status_reason: StatusReason | None = Field(
        description="Why `status` is not `active`. `failing`: every attempt failed for a day. `gone`: the URL responded"
        " 410. `switched_off`: the company set `active` to false."
    )
    status_since: datetime
    failing_since: datetime | None = Field(description="Start of the first failed attempt after the last success.")
    previous_secret_until: datetime | None = Field(
        description="Until when messages have a second signature, made with the previous secret."
    )
    created_at: datetime
    updated_at: datetime


class SubscriptionReadWithSecret(SubscriptionRead):
    """A subscription with its secret, which no other response contains."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**READ_EXAMPLE, "secret": SECRET_EXAMPLE}]})

    secret: str = Field(description="Secret of Standard Webhooks: `whsec_` and the key in base64.")


class SubscriptionResponse(BaseModel):
    """A subscription after a change."""

    message: str
    data: SubscriptionRead

    @classmethod
    def of(cls, message: str, subscription: Subscription) -> Self:
        """Return the response for a stored subscription."""
        return cls(message=message, data=SubscriptionRead.model_validate(subscription))


class SubscriptionSecretResponse(BaseModel):
    """A subscription with its new secret."""

    message: str
    data: SubscriptionReadWithSecret

    @classmethod
    def of(cls, message: str, subscription: Subscription) -> Self:
        """Return the response for a stored subscription."""
        return cls(message=message, data=SubscriptionReadWithSecret.model_validate(subscription))


class SubscriptionListResponse(BaseModel):
    """Every subscription of a company, oldest first."""

    total: int
    data: list[SubscriptionRead]

    @classmethod
    def of(cls, subscriptions: list[Subscription]) -> Self:
        """Return the response for stored subscriptions."""
        data = [SubscriptionRead.model_validate(subscription) for subscription in subscriptions]
        return cls(total=len(data), data=data)


class SubscriptionTestResponse(BaseModel):
    """The delivery of a test event."""

    message: str
    delivery_id: int = Field(description="Id of the delivery that shows the result.")
