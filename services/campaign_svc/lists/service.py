"""What lists say of running campaigns: how far they are, and what they may still do today."""

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg

from services.campaign_svc.lists import repository
from services.campaign_svc.lists.repository import CompanyFilter, Page
from shared.database.engine import Driver
from shared.formulas import percentage


async def active_campaigns(driver: Driver, narrowed: CompanyFilter, page: Page, now: datetime) -> dict[str, Any]:
    """One page of campaigns with their calls so far and today; ``driver`` must see one state throughout.

    Parameters
    ----------
    now
        With its time zone. Today is the day it is at this moment where the campaign is.
    """
    campaigns = await repository.page_with_totals(driver, narrowed, page)
    days = {campaign["id"]: day_of(now, ZoneInfo(campaign["time_zone"])) for campaign in campaigns}
    today = await repository.calls_between(driver, days)
    return {
        "total": await repository.count(driver, narrowed),
        "data": [_shown(campaign, today.get(campaign["id"], 0)) for campaign in campaigns],
    }


def day_of(moment: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The day on which a moment falls in a zone: its first moment, and the first of the next day.

    It lasts 23 or 25 hours where clocks are changed.
    """
    day = moment.astimezone(zone).date()
    return datetime.combine(day, time.min, zone), datetime.combine(day + timedelta(days=1), time.min, zone)


def _shown(campaign: asyncpg.Record, calls_today: int) -> dict[str, Any]:
    return {
        "id": campaign["id"],
        "name": campaign["name"],
        "status": campaign["status"],
        "priority": campaign["priority"],
        "total_leads": campaign["leads"],
        "completed_calls": campaign["calls"],
        "success_rate": percentage(campaign["successful_calls"], campaign["calls"]),
        "today_calls": calls_today,
        "remaining_calls": max(0, campaign["calls_per_day"] - calls_today),
    }
