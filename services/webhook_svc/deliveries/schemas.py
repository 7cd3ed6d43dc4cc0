"""The log of deliveries as API clients see it, and what they send to have some made again."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

Status = Literal["pending", "held", "delivered", "failed"]

_STATUSES: Final = (
    "`pending`: waits for its next attempt, or is under way. `held`: waits for its subscription to be active."
    " `delivered`, `failed`: settled."
)

SHOWN_EXAMPLE: Final[dict[str, Any]] = {
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
REDELIVER_EXAMPLE: Final[dict[str, Any]] = {"since": "2024-03-01T00:00:00Z", "status": "failed"}


def _storable_moment(moment: datetime) -> datetime:
    if not 1900 <= moment.year <= 2999:
        raise ValueError("must be a time of the years 1900 to 2999")
    return moment


Moment = Annotated[AwareDatetime, AfterValidator(_storable_moment)]
"""A time with its offset, of years that any time zone can write."""


class Attempt(BaseModel):
    """One request that was made."""

    number: int
    started_at: datetime
    duration_ms: int = Field(description="Until the status of the answer, or the failure.")
    http_status: int | None = Field(description="Null when there was no answer.")
    error: str | None = Field(description="What was wrong; null when the receiver took the event.")


class Delivery(BaseModel):
    """An event on its way to a subscription."""

    model_config = ConfigDict(json_schema_extra={"examples": [SHOWN_EXAMPLE]})

    id: int
    subscription_id: int
    event_id: UUID = Field(description="The event's `id`, which is the header `webhook-id` of every attempt.")
    event_type: str
    status: Status = Field(description=_STATUSES)
    created_at: datetime = Field(description="When the event came.")
    next_attempt_at: datetime | None = Field(
        description="Of a `pending` one; null while an attempt is under way, and for the others."
    )
    attempts: list[Attempt] = Field(description="The last 50, in order.")


class DeliveryWithEvent(Delivery):
    """A delivery, and what is sent."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**SHOWN_EXAMPLE, "event": EVENT_EXAMPLE}]})

    event: dict[str, Any] = Field(description="The body of every attempt.")


class DeliveryPage(BaseModel):
    """A page of the log, newest first."""

    data: list[Delivery]


class RedeliverBody(BaseModel):
    """Which settled deliveries are to be made again."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [REDELIVER_EXAMPLE]})

    since: Moment = Field(description="Only of events that came at this time or later.")
    until: Moment | None = Field(default=None, description="Only of events that came before this time.")
    status: Literal["failed", "delivered"] | None = Field(
        default=None, description="Only those that ended so; both when left out."
    )

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.until is not None and self.until < self.since:
            raise ValueError("until must not be before since")
        return self


class Redelivered(BaseModel):
    """How many deliveries are made again."""

    message: str
    count: int
