"""What the people of a company do."""

from collections import Counter

from pydantic import BaseModel, ConfigDict, Field

from services.analytics_svc.reports import repository
from services.analytics_svc.reports.figures import ratio
from services.analytics_svc.reports.scope import Scope
from services.analytics_svc.rollups.definitions import CALLS
from services.analytics_svc.rollups.measures import OUTCOMES
from shared.database.engine import Driver
from shared.formulas import average_seconds, percentage


class TeamSummary(BaseModel):
    """All of them together."""

    total_team_members: int
    active_members: int = Field(description="Those who made a call in the period.")
    total_calls_handled: int


class MemberPerformance(BaseModel):
    """One person."""

    member_id: int
    name: str | None = Field(description="Null while the company's directory of members does not have it.")
    campaigns_assigned: int
    total_calls: int
    successful_calls: int
    success_rate: float = Field(description="Percent; 0 without calls.")
    average_call_duration: int = Field(description="Seconds; 0 without calls.")
    total_talk_time: int = Field(description="Seconds.")


class CampaignTeam(BaseModel):
    """The people of a campaign."""

    campaign_id: int
    name: str | None
    team_members: int
    calls_per_member: float


class TeamPerformance(BaseModel):
    """What the people of a company do. The formulas: docs/metrics.md."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "team_summary": {"total_team_members": 10, "active_members": 8, "total_calls_handled": 1000},
                "member_performance": [
                    {
                        "member_id": 123,
                        "name": "John Smith",
                        "campaigns_assigned": 3,
                        "total_calls": 200,
                        "successful_calls": 160,
                        "success_rate": 80.00,
                        "average_call_duration": 180,
                        "total_talk_time": 36000,
                    }
                ],
                "campaign_distribution": [
                    {"campaign_id": 1, "name": "Customer Survey Campaign", "team_members": 5, "calls_per_member": 40}
                ],
            }
        }
    )

    team_summary: TeamSummary
    member_performance: list[MemberPerformance]
    campaign_distribution: list[CampaignTeam]


async def team_performance(driver: Driver, scope: Scope) -> TeamPerformance:
    """What the people of a company do; ``driver`` must see one state throughout."""
    campaigns = {row["id"]: row for row in await repository.campaigns(driver, scope)}
    names = await repository.member_names(driver, scope.company_id)
    by_agent = await repository.by_dimension(driver, CALLS, scope, OUTCOMES, "agent_id")
    by_campaign = await repository.by_dimension(driver, CALLS, scope, OUTCOMES, "campaign_id")
    teams = {number: set(row["team_members"]) for number, row in campaigns.items()}
    there = [number for number, row in campaigns.items() if not row["deleted"]]
    assigned = Counter(member for number in there for member in teams[number])
    made = {row["agent_id"]: row for row in by_agent if row["agent_id"] != 0}
    members = []
    for member in sorted(assigned.keys() | made.keys()):
        calls, successful, duration = (
            made[member][name] if member in made else 0 for name in ("calls", "successful", "duration")
        )
        members.append(
            MemberPerformance(
                member_id=member,
                name=names.get(member),
                campaigns_assigned=assigned[member],
                total_calls=calls,
                successful_calls=successful,
                success_rate=percentage(successful, calls),
                average_call_duration=average_seconds(duration, calls),
                total_talk_time=duration,
            )
        )
    called = {row["campaign_id"]: row["calls"] for row in by_campaign}
    return TeamPerformance(
        team_summary=TeamSummary(
            total_team_members=len(members),
            active_members=len(made),
            total_calls_handled=sum(member.total_calls for member in members),
        ),
        member_performance=members,
        campaign_distribution=[
            CampaignTeam(
                campaign_id=number,
                name=campaigns[number]["name"] if number in campaigns else None,
                team_members=len(teams.get(number, ())),
                calls_per_member=ratio(called.get(number, 0), len(teams.get(number, ()))),
            )
            for number in sorted({*there, *called})
        ],
    )
