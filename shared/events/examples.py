"""Examples: a whole message of each type that other programs may subscribe to."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from shared.events.campaigns import CampaignCreated, CampaignDeleted, CampaignStatusChanged, CampaignUpdated
from shared.events.envelope import Envelope, EventData
from shared.events.imports import ImportCompleted, ImportFailed
from shared.events.leads import (
    LeadAssigned,
    LeadCallAttempted,
    LeadConverted,
    LeadCreated,
    LeadDeleted,
    LeadScheduled,
    LeadStatusChanged,
    LeadUpdated,
)
from shared.events.members import MemberDeleted, MemberUpdated

SOURCES: Final[Mapping[str, str]] = {
    "campaign": "/campaign-svc",
    "member": "/campaign-svc",
    "lead": "/lead-svc",
    "import": "/lead-svc",
}
"""The envelope's ``source``, by the first word of the type."""

_COMPANY: Final = 1


def _at(day: int, hour: int, minute: int = 0, second: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, second, tzinfo=UTC)


def _campaign(**changes: object) -> dict[str, object]:
    usual: dict[str, object] = {
        "id": 7,
        "version": 1,
        "company_id": _COMPANY,
        "name": "Customer satisfaction, spring",
        "status": "draft",
        "priority": "high",
        "campaign_type": "outbound",
        "calls_per_day": 100,
        "calling_hours_start": "09:00:00",
        "calling_hours_end": "17:30:00",
        "time_zone": "America/New_York",
        "working_days": ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"],
        "max_attempts_per_lead": 3,
        "retry_delay_minutes": 60,
        "budget": Decimal("1000.00"),
        "cost_per_call": Decimal("0.50"),
        "owner_id": 123,
        "team_members": [124, 125],
        "start_date": _at(2, 14),
        "end_date": _at(31, 21, 30),
        "created_at": _at(1, 9),
        "updated_at": _at(1, 9),
    }
    return usual | changes


def _lead(**changes: object) -> dict[str, object]:
    usual: dict[str, object] = {
        "id": 4711,
        "version": 1,
        "campaign_id": 7,
        "company_id": _COMPANY,
        "first_name": "John",
        "last_name": "Doe",
        "phone": "+14155552671",
        "email": "john.doe@example.com",
        "status": "pending",
        "priority": 2,
        "source": "website",
        "lead_score": 85,
        "interest_level": "high",
        "assigned_to": 124,
        "created_at": _at(1, 10),
        "updated_at": _at(1, 10),
    }
    return usual | changes


# The second lead of an event: only its number is known.
_BARE: Final[dict[str, object]] = {
    "id": 4712,
    "first_name": None,
    "last_name": None,
    "phone": "+442079460000",
    "email": None,
    "priority": 3,
    "source": None,
    "lead_score": None,
    "interest_level": None,
    "assigned_to": None,
}

_CALL: Final[dict[str, object]] = {
    "id": 90210,
    "lead_id": 4711,
    "campaign_id": 7,
    "company_id": _COMPANY,
    "started_at": _at(2, 15, 4),
    "duration": 180,
    "successful": False,
    "disposition": "callback_requested",
    "agent_id": 124,
    "cost": Decimal("0.4375"),
    "notes": "Was busy, wants a call back tomorrow",
    "transcript": "Hello John, this is Ann of Example Ltd.\nI am in a meeting, can you call tomorrow?",
    "keywords": ["meeting", "call back"],
    "quality": {
        "accuracy": 96.5,
        "clarity": 94.0,
        "engagement": 71.0,
        "adherence_to_script": 88.0,
        "sentiment_score": 1.5,
        "customer_satisfaction": 3.5,
        "response_time_seconds": 0.8,
        "regulatory_compliance": True,
        "data_protection": True,
        "issues": ["script_deviation"],
    },
}


def _import(**changes: object) -> dict[str, object]:
    usual: dict[str, object] = {
        "company_id": _COMPANY,
        "campaign_id": 7,
        "filename": "leads.csv",
        "imported_count": 0,
        "error_count": 0,
    }
    return usual | changes


def _member(**changes: object) -> dict[str, object]:
    usual: dict[str, object] = {"id": 124, "company_id": _COMPANY, "name": "Ann Smith"}
    return usual | changes


EXAMPLES: Final[Mapping[type[EventData], tuple[datetime, dict[str, object]]]] = {
    CampaignCreated: (_at(1, 9), {"campaign": _campaign()}),
    CampaignUpdated: (
        _at(1, 11),
        {"campaign": _campaign(version=2, calls_per_day=150, updated_at=_at(1, 11))},
    ),
    CampaignStatusChanged: (
        _at(2, 14),
        {"campaign": _campaign(version=3, status="active", updated_at=_at(2, 14)), "previous_status": "draft"},
    ),
    CampaignDeleted: (
        _at(31, 22),
        {"campaign": _campaign(version=9, status="completed", updated_at=_at(31, 22))},
    ),
    LeadCreated: (_at(1, 10), {"leads": [_lead(), _lead(**_BARE)]}),
    LeadUpdated: (
        _at(1, 16),
        {"leads": [_lead(version=2, lead_score=90, updated_at=_at(1, 16))]},
    ),
    LeadStatusChanged: (
        _at(2, 15, 7),
        {"leads": [_lead(version=4, status="scheduled", updated_at=_at(2, 15, 7), previous_status="in_progress")]},
    ),
    LeadAssigned: (
        _at(2, 8),
        {
            "leads": [
                _lead(version=3, assigned_to=125, updated_at=_at(2, 8), previous_assigned_to=124),
                _lead(**_BARE | {"version": 2, "assigned_to": 125}, updated_at=_at(2, 8), previous_assigned_to=None),
            ]
        },
    ),
    LeadScheduled: (
        _at(2, 15, 10),
        {"leads": [_lead(version=5, status="scheduled", updated_at=_at(2, 15, 10), next_contact_date=_at(3, 15))]},
    ),
    LeadCallAttempted: (_at(2, 15, 7), {"call_attempts": [_CALL]}),
    LeadConverted: (
        _at(3, 15, 12),
        {
            "leads": [
                _lead(
                    version=7,
                    status="completed",
                    updated_at=_at(3, 15, 12),
                    conversion_value=Decimal("1250.00"),
                    converted_at=_at(3, 15, 12),
                )
            ]
        },
    ),
    LeadDeleted: (_at(31, 9), {"leads": [_lead(version=8, status="completed", updated_at=_at(31, 9))]}),
    MemberUpdated: (_at(1, 8, 30), {"member": _member(version=2, updated_at=_at(1, 8, 30))}),
    MemberDeleted: (_at(31, 18), {"member": _member(version=3, updated_at=_at(31, 18))}),
    ImportCompleted: (_at(1, 10), {"job": _import(id=31, imported_count=1200)}),
    ImportFailed: (
        _at(1, 10, 5),
        {"job": _import(id=32, error_count=2), "reason": "Invalid phone number format: 555-ABC"},
    ),
}
"""Time and data of each."""


def example_of(data: type[EventData]) -> dict[str, Any]:
    """Return a whole message of a type, as JSON."""
    event_type = data.event_type
    emitted_at, example = EXAMPLES[data]
    message = Envelope(
        id=uuid5(NAMESPACE_URL, event_type),
        source=SOURCES[event_type.partition(".")[0]],
        type=event_type,
        time=emitted_at,
        companyid=_COMPANY,
        data=data.model_validate(example).model_dump(mode="json"),
    )
    return message.model_dump(mode="json")
