"""Team performance: calls by member, and the teams of campaigns."""

from collections import Counter

from pydantic import BaseModel, ConfigDict, Field

from services.analytics_svc.reports import repository
from services.analytics_svc.reports.scope import Scope
from services.analytics_svc.rollups.measures import OUTCOMES
from services.analytics_svc.rollups.rollup_tables import CALLS
from shared.database.engine import Driver
from shared.report_formulas import average_seconds, percentage, ratio


class TeamSummary(BaseModel):
    """The whole team."""

    total_team_members: int
    active_members: int = Field(description="Members who made a call in the period.")
    total_calls_handled: int


class MemberPerformance(BaseModel):
    """The calls of one member."""

    member_id: int
    name: str | None = Field(description="Null if the company's directory of members lacks it.")
    campaigns_assigned: int
    total_calls: int
    successful_calls: int
    success_rate: float = Field(description="Percent; 0 without calls.")
    average_call_duration: int = Field(description="Seconds; 0 without calls.")
    total_talk_time: int = Field(description="Seconds.")


class CampaignTeam(BaseModel):
    """The team of one campaign."""

    campaign_id: int
    name: str | None
    team_members: int
    calls_per_member: float


class TeamPerformance(BaseModel):
    """Performance of a company's team. Formulas: docs/metrics.md."""

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
    """Compute the performance of a company's team; ``driver`` must see one state throughout."""
    campaigns = {campaign.id: campaign for campaign in await repository.campaigns(driver, scope)}
    names = await repository.member_names(driver, scope.company_id)
    by_agent = await repository.by_dimension(driver, CALLS, scope, OUTCOMES, "agent_id")
    by_campaign = await repository.by_dimension(driver, CALLS, scope, OUTCOMES, "campaign_id")
    teams = {campaign.id: set(campaign.team_members) for campaign in campaigns.values()}
    present = [campaign.id for campaign in campaigns.values() if not campaign.deleted]
    assigned = Counter(member for campaign_id in present for member in teams[campaign_id])
    calls_by_agent = {row["agent_id"]: row for row in by_agent if row["agent_id"] != 0}
    members = []
    for member in sorted(assigned.keys() | calls_by_agent.keys()):
        sums = calls_by_agent.get(member)
        calls, successful, duration = (
            (0, 0, 0) if sums is None else (sums["calls"], sums["successful"], sums["duration"])
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
    calls_by_campaign = {row["campaign_id"]: row["calls"] for row in by_campaign}
    return TeamPerformance(
        team_summary=TeamSummary(
            total_team_members=len(members),
            active_members=len(calls_by_agent),
            total_calls_handled=sum(member.total_calls for member in members),
        ),
        member_performance=members,
        campaign_distribution=[
            CampaignTeam(
                campaign_id=campaign_id,
                name=campaigns[campaign_id].name if campaign_id in campaigns else None,
                team_members=len(teams.get(campaign_id, ())),
                calls_per_member=ratio(calls_by_campaign.get(campaign_id, 0), len(teams.get(campaign_id, ()))),
            )
            for campaign_id in sorted({*present, *calls_by_campaign})
        ],
    )
