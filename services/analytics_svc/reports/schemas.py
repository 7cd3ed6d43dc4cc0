"""What the reports look like to API clients."""

from datetime import date

from pydantic import BaseModel, ConfigDict, Field


class CampaignsByPriority(BaseModel):
    """Number of campaigns of each priority."""

    high: int = 0
    medium: int = 0
    low: int = 0


class DailyCalls(BaseModel):
    """The calls of one day (UTC)."""

    date: date
    total_calls: int
    successful_calls: int
    failed_calls: int
    success_rate: float
    """Percent."""


class CompanyStatistics(BaseModel):
    """A company's campaigns, leads and calls in figures. The formulas: docs/metrics.md."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "total_campaigns": 10,
                "active_campaigns": 5,
                "completed_campaigns": 3,
                "paused_campaigns": 2,
                "total_leads": 1000,
                "total_calls": 800,
                "successful_calls": 600,
                "failed_calls": 200,
                "average_success_rate": 75.00,
                "total_call_duration": 48000,
                "average_call_duration": 60,
                "total_cost": 400.00,
                "remaining_budget": 5600.00,
                "campaigns_by_priority": {"high": 3, "medium": 5, "low": 2},
                "calls_by_hour": {"09:00": 100, "10:00": 150, "11:00": 200},
                "daily_stats": [
                    {
                        "date": "2024-03-01",
                        "total_calls": 80,
                        "successful_calls": 60,
                        "failed_calls": 20,
                        "success_rate": 75.00,
                    }
                ],
            }
        }
    )

    total_campaigns: int
    active_campaigns: int
    completed_campaigns: int
    paused_campaigns: int
    total_leads: int
    total_calls: int
    successful_calls: int
    failed_calls: int
    average_success_rate: float = Field(description="Percent of all calls that succeeded; 0 without calls.")
    total_call_duration: int = Field(description="Seconds.")
    average_call_duration: int = Field(description="Seconds; 0 without calls.")
    total_cost: float
    remaining_budget: float = Field(description="Negative where more was spent than planned.")
    campaigns_by_priority: CampaignsByPriority
    calls_by_hour: dict[str, int] = Field(description="Calls by the hour they started in (UTC); only hours with calls.")
    daily_stats: list[DailyCalls] = Field(description="Days with calls (UTC), oldest first.")
