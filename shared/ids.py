"""Ids of the product's entities, each a type of its own: mypy refuses a lead's id where a campaign's is expected."""

from typing import Final, NewType

CompanyId = NewType("CompanyId", int)
CampaignId = NewType("CampaignId", int)
MemberId = NewType("MemberId", int)
"""A person of a company: a member of a team, the owner of a campaign, the agent a lead is assigned to."""
LeadId = NewType("LeadId", int)
CallAttemptId = NewType("CallAttemptId", int)
ImportId = NewType("ImportId", int)
SubscriptionId = NewType("SubscriptionId", int)
DeliveryId = NewType("DeliveryId", int)

MAX_ID: Final = 2**63 - 1
"""Largest id: ids are PostgreSQL bigints."""
