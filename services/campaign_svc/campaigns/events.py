"""Campaigns as other services are told of them."""

from sqlalchemy import RowMapping

from shared.events.campaigns import Campaign


def as_told(campaign: RowMapping) -> Campaign:
    """A stored campaign in the form that its events carry."""
    times = {name: campaign[name].isoformat() for name in ("calling_hours_start", "calling_hours_end")}
    return Campaign.model_validate({**campaign, **times})
