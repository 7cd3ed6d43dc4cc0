"""The scope of a report: whose facts it covers."""

from dataclasses import dataclass, field

from services.analytics_svc.reports.period import Period
from services.analytics_svc.rollups.sum_sql import Selection
from shared.ids import CampaignId, CompanyId


@dataclass(frozen=True)
class Scope:
    """A company, a period, and optionally some of the company's campaigns."""

    company_id: CompanyId
    period: Period = field(default_factory=Period)
    campaign_ids: tuple[CampaignId, ...] | None = None
    """None for all facts, also those of deleted campaigns and of campaigns whose events have not arrived."""

    @property
    def selection(self) -> Selection:
        """The facts to sum."""
        return Selection(self.company_id, self.campaign_ids, self.period.start, self.period.end)

    def of_all_days(self) -> "Scope":
        """Return this scope with an open period."""
        return Scope(self.company_id, Period(), self.campaign_ids)

    def of_campaigns(self, ids: tuple[CampaignId, ...]) -> "Scope":
        """Return this scope with these campaigns."""
        return Scope(self.company_id, self.period, ids)
