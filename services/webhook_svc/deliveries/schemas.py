"""Request and response schemas of deliveries."""

from datetime import datetime
from typing import Any, Final, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.webhook_svc.deliveries.delivery import RedeliveryFilter
from services.webhook_svc.domain.delivery_status import DeliveryStatus
from shared.schema import Schema, UtcDatetime

DeliveryStatusText = Literal["pending", "held", "delivered", "failed"]
"""``DeliveryStatus`` in a query."""

READ_EXAMPLE: Final[dict[str, Any]] = {
    "id": 4711,
    "subscription_id": 7,
    "event_id": "8e03978e-40d5-43dd-bc93-6894a57f9324",
    "event_type": "lead.created.v1",
    "status": "pending",
    "created_at": "2024-03-01T09:00:00Z",
    "next_attempt_at": "2024-03-01T09:00:04Z",
    "attempts": [
        {
            "number": 1,
            "started_at": "2024-03-01T09:00:00Z",
            "duration_ms": 87,
            "http_status": 503,
            "error": "Answered 503",
        }
    ],
}
EVENT_EXAMPLE: Final[dict[str, Any]] = {
    "specversion": "1.0",
    "id": "8e03978e-40d5-43dd-bc93-6894a57f9324",
    "source": "/lead-svc",
    "type": "lead.created.v1",
    "time": "2024-03-01T09:00:00Z",
    "datacontenttype": "application/json",
    "companyid": 1,
    "data": {"leads": []},
}
REDELIVERY_EXAMPLE: Final[dict[str, Any]] = {"since": "2024-03-01T00:00:00Z", "status": "failed"}


class AttemptRead(BaseModel):
    """One HTTP request of a delivery."""

    number: int
    started_at: datetime
    duration_ms: int = Field(description="Milliseconds until the status of the response, or until the failure.")
    http_status: int | None = Field(description="Null when there was no response.")
    error: str | None = Field(description="What went wrong; null when the receiver accepted the event.")


class DeliveryRead(BaseModel):
    """One event for one subscription, with the attempts to send it."""

    model_config = ConfigDict(json_schema_extra={"examples": [READ_EXAMPLE]})

    id: int
    subscription_id: int
    event_id: UUID = Field(description="Id of the event; the header `webhook-id` of every attempt.")
    event_type: str
    status: DeliveryStatus = Field(
        description="`pending`: waits for its next attempt, or an attempt is in progress. `held`: waits until its"
        " subscription is active. `delivered`: the receiver accepted it. `failed`: it is not retried."
    )
    created_at: datetime = Field(description="When the event arrived.")
    next_attempt_at: datetime | None = Field(
        description="Null while an attempt is in progress, and in every other status than `pending`."
    )
    attempts: list[AttemptRead] = Field(description="The last 50 attempts, oldest first.")


class DeliveryReadWithEvent(DeliveryRead):
    """A delivery with the event that is sent."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**READ_EXAMPLE, "event": EVENT_EXAMPLE}]})

    event: dict[str, Any] = Field(description="The body of every attempt.")


class DeliveryListResponse(BaseModel):
    """A page of the log, newest first."""

    data: list[DeliveryRead]


class RedeliveryRequest(Schema):
    """Which completed deliveries are sent again."""

    model_config = ConfigDict(json_schema_extra={"examples": [REDELIVERY_EXAMPLE]})

    since: UtcDatetime = Field(description="Events that arrived at this time or later.")
    until: UtcDatetime | None = Field(default=None, description="Events that arrived before this time.")
    status: Literal["failed", "delivered"] | None = Field(
        default=None, description="Deliveries with this status; both when absent."
    )

    @model_validator(mode="after")
    def _require_order(self) -> Self:
        if self.until is not None and self.until < self.since:
            raise ValueError("until must not be before since")
        return self

    def filters(self) -> RedeliveryFilter:
        """Return the conditions of the request."""
        return RedeliveryFilter(self.since, self.until, DeliveryStatus(self.status) if self.status else None)


class RedeliveryResponse(BaseModel):
    """How many deliveries are sent again."""

    message: str
    count: int
