"""What a report looks at."""

from dataclasses import dataclass, field

from services.analytics_svc.reports.period import Period


@dataclass(frozen=True)
class Scope:
    """A company, a period, and perhaps only some of its campaigns."""

    company_id: int
    period: Period = field(default_factory=Period)
    campaign_ids: tuple[int, ...] | None = None
    """``None`` for everything, also what belongs to campaigns that are deleted or not known yet."""

    def of_all_days(self) -> "Scope":
        """The same, whatever the days."""
        return Scope(self.company_id, Period(), self.campaign_ids)

    def of_campaigns(self, ids: tuple[int, ...]) -> "Scope":
        """The same, of these campaigns."""
        return Scope(self.company_id, self.period, ids)
