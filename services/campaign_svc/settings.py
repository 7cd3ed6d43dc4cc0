"""Settings of the campaign service's processes."""

from pydantic import HttpUrl

from shared.settings import ApiSettings, ProcessSettings


class CampaignApiSettings(ApiSettings):
    """Of ``campaign-api``."""

    analytics_svc_url: HttpUrl
    """Asked how good a campaign's calls were."""


class CampaignEventsSettings(ProcessSettings):
    """Of ``campaign-events``."""
