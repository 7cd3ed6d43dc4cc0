"""Campaigns in the form that events carry."""

from services.campaign_svc.campaigns.campaign import Campaign
from shared.events import campaigns


def to_event(campaign: Campaign) -> campaigns.Campaign:
    """Return the part of a stored campaign that its events carry, calling hours as text."""
    values = {name: getattr(campaign, name) for name in campaigns.Campaign.model_fields}
    hours = {name: values[name].isoformat() for name in ("calling_hours_start", "calling_hours_end")}
    return campaigns.Campaign.model_validate(values | hours)
