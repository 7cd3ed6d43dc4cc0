"""Budgets of campaigns, and how much of them is left."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from services.analytics_svc.reports import repository
from services.analytics_svc.reports.repository import CampaignRow
from services.analytics_svc.reports.scope import Scope
from services.analytics_svc.rollups.measures import COSTS
from services.analytics_svc.rollups.rollup_tables import CALLS
from shared.database.engine import Driver
from shared.ids import CampaignId


async def costs_of_all_days(driver: Driver, scope: Scope) -> dict[CampaignId, Decimal]:
    """Return the cost of all calls by campaign; the scope's period has no effect."""
    rows = await repository.by_dimension(driver, CALLS, scope.of_all_days(), COSTS, "campaign_id")
    return {row["campaign_id"]: row["cost"] for row in rows}


def remaining_budget(campaigns: Sequence[CampaignRow], costs: Mapping[CampaignId, Decimal]) -> Decimal:
    """Return the budgets of the campaigns that have one, minus the costs of all their calls."""
    return sum(
        (campaign.budget - costs.get(campaign.id, Decimal(0)) for campaign in campaigns if campaign.budget is not None),
        Decimal(0),
    )
