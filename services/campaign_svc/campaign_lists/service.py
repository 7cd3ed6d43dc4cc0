"""Use cases of the lists of a company's campaigns."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from services.campaign_svc.campaign_lists import repository
from services.campaign_svc.campaign_lists.filters import CampaignFilters, PageRequest
from services.campaign_svc.campaign_lists.repository import CampaignProgress
from shared.database.engine import Database, driver_connection
from shared.events.campaigns import CampaignPriority, CampaignStatus
from shared.ids import CampaignId
from shared.report_formulas import percentage


@dataclass(frozen=True, slots=True)
class ActiveCampaign:
    """A running campaign with its progress, as the API returns it."""

    id: CampaignId
    name: str
    status: CampaignStatus
    priority: CampaignPriority
    total_leads: int
    completed_calls: int
    success_rate: float
    """Successful calls in percent of ``completed_calls``; 0 without calls."""
    today_calls: int
    remaining_calls: int


@dataclass(frozen=True, slots=True)
class ActiveCampaignPage:
    """A page of running campaigns and the number of those on all pages."""

    total: int
    data: list[ActiveCampaign]


async def list_json(database: Database, filters: CampaignFilters, page: PageRequest) -> tuple[int, bytes]:
    """Return the number of campaigns on all pages, and those of one page as the inside of a JSON array."""
    async with database.reader() as driver:
        return await repository.list_json(driver, filters, page)


async def list_active(
    database: Database, filters: CampaignFilters, page: PageRequest, now: datetime
) -> ActiveCampaignPage:
    """Return one page of campaigns with their calls so far and today, all of one snapshot.

    Parameters
    ----------
    now
        With its time zone. Today is the day on which this moment falls in the time zone of each campaign.
    """
    async with database.snapshot() as connection:
        driver = await driver_connection(connection)
        campaigns = await repository.page_with_totals(driver, filters, page)
        days = {campaign.id: day_of(now, ZoneInfo(campaign.time_zone)) for campaign in campaigns}
        calls_today = await repository.calls_between(driver, days)
        total = await repository.count(driver, filters)
    return ActiveCampaignPage(
        total, [_active_campaign(campaign, calls_today.get(campaign.id, 0)) for campaign in campaigns]
    )


def day_of(moment: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the day on which a moment falls in a zone: its first moment, and the first moment of the next day.

    A day on which clocks change has 23 or 25 hours.
    """
    day = moment.astimezone(zone).date()
    return datetime.combine(day, time.min, zone), datetime.combine(day + timedelta(days=1), time.min, zone)


def _active_campaign(campaign: CampaignProgress, calls_today: int) -> ActiveCampaign:
    return ActiveCampaign(
        id=campaign.id,
        name=campaign.name,
        status=campaign.status,
        priority=campaign.priority,
        total_leads=campaign.leads,
        completed_calls=campaign.calls,
        success_rate=percentage(campaign.successful_calls, campaign.calls),
        today_calls=calls_today,
        remaining_calls=max(0, campaign.calls_per_day - calls_today),
    )
