"""Settings of the campaign service's processes."""

from pydantic import HttpUrl

from shared.settings import ApiSettings, ProcessSettings


class CampaignApiSettings(ApiSettings):
    """Settings of ``campaign-api``."""

    analytics_svc_url: HttpUrl
    """Base address of analytics_svc, which provides the call quality of a campaign."""


class CampaignEventsSettings(ProcessSettings):
    """Settings of ``campaign-events``."""
