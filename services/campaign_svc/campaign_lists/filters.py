"""Filters, sort orders and pages of the lists of a company's campaigns."""

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from shared.events.campaigns import CampaignPriority, CampaignStatus
from shared.ids import CompanyId

SortField = Literal["created_at", "name", "status", "priority"]
SortOrder = Literal["asc", "desc"]

DEFAULT_ORDERS: Final[dict[SortField, SortOrder]] = {
    "created_at": "desc",
    "name": "asc",
    "status": "asc",
    "priority": "desc",
}
"""The order of each sort field when the caller names none: the newest and the most urgent first."""


@dataclass(frozen=True, slots=True)
class CampaignFilters:
    """Conditions that select campaigns of one company; None selects any value."""

    company_id: CompanyId
    status: CampaignStatus | None = None
    priority: CampaignPriority | None = None
    is_active: bool | None = None
    starts_on_or_after: date | None = None
    """A day in UTC."""
    ends_on_or_before: date | None = None
    """A day in UTC."""
    search_words: tuple[str, ...] = ()
    """Each must occur in the name or the description, in any case."""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """The sort order and the part of a list to return."""

    sort: SortField
    order: SortOrder
    limit: int
    offset: int
