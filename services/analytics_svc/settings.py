"""Settings of the analytics service's processes."""

from pydantic import HttpUrl

from shared.settings import ApiSettings, ProcessSettings


class AnalyticsApiSettings(ApiSettings):
    """Settings of ``analytics-api``."""

    campaign_svc_url: HttpUrl
    """Base address of campaign_svc, for campaigns whose events have not arrived yet."""


class AnalyticsEventsSettings(ProcessSettings):
    """Settings of ``analytics-events``."""
