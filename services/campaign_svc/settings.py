"""Settings of the campaign service's processes."""

from shared.settings import ApiSettings, ProcessSettings


class CampaignApiSettings(ApiSettings):
    """Of ``campaign-api``."""


class CampaignEventsSettings(ProcessSettings):
    """Of ``campaign-events``."""
