"""Subscriptions as API clients send and see them."""

from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool

from services.webhook_svc.destinations import LONGEST_URL
from services.webhook_svc.subscriptions.event_types import known
from services.webhook_svc.subscriptions.states import Reason, State
from shared.http.parameters import NoNulText

EXAMPLE: Final[dict[str, Any]] = {
    "url": "https://example.com/hooks/voice",
    "types": ["lead.*", "campaign.status_changed.v1"],
    "description": "CRM",
    "active": True,
}
SHOWN_EXAMPLE: Final[dict[str, Any]] = {
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
SECRET_EXAMPLE: Final = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="  # noqa: S105 - nobody's

Pattern = Annotated[str, Field(max_length=100), AfterValidator(known)]


class SubscriptionBody(BaseModel):
    """A subscription as it is sent."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [EXAMPLE]})

    url: Annotated[str, Field(min_length=1, max_length=LONGEST_URL), NoNulText] = Field(
        description="Where events are posted to: `https`, without user name and password, at a public address."
    )
    types: Annotated[list[Pattern], Field(min_length=1, max_length=50)] = Field(
        description="Types of events, such as `lead.created.v1`, or wildcards for some: `lead.*`, or `*` for all."
    )
    description: Annotated[str, Field(max_length=500), NoNulText] | None = Field(
        default=None, description="For people."
    )
    active: StrictBool = Field(default=True, description="Whether it gets events at all.")


class SubscriptionShown(BaseModel):
    """A subscription as it is shown: without its secret."""

    model_config = ConfigDict(json_schema_extra={"examples": [SHOWN_EXAMPLE]})

    id: int
    company_id: int
    url: str
    types: list[str]
    description: str | None
    active: bool = Field(description="False when it is `disabled`.")
    status: State = Field(
        description="`paused`: events are kept for it, until it is resumed. `disabled`: events pass it by."
    )
    status_reason: Reason | None = Field(
        description="`failing`: every attempt failed for a day. `gone`: it answered 410. `switched_off`: its company"
        " wants it so."
    )
    status_since: datetime
    failing_since: datetime | None = Field(description="When the first attempt failed after the last success.")
    previous_secret_until: datetime | None = Field(description="Until when messages carry a second signature.")
    created_at: datetime
    updated_at: datetime


class SubscriptionWithSecret(SubscriptionShown):
    """A subscription with its secret, as it is shown once."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**SHOWN_EXAMPLE, "secret": SECRET_EXAMPLE}]})

    secret: str = Field(description="Of Standard Webhooks: `whsec_` and the key in base64. It is not shown again.")


class SubscriptionAnswer(BaseModel):
    """A subscription and what was done with it."""

    message: str
    data: SubscriptionShown


class SecretAnswer(BaseModel):
    """A subscription with its new secret."""

    message: str
    data: SubscriptionWithSecret


class SubscriptionList(BaseModel):
    """Every subscription of a company, oldest first."""

    total: int
    data: list[SubscriptionShown]


class SubscriptionDone(BaseModel):
    """What was done."""

    message: str


class TestAnswer(BaseModel):
    """Which delivery tells how a test went."""

    message: str
    delivery_id: int
