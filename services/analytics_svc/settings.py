"""Settings of the analytics service's processes."""

from pydantic import HttpUrl

from shared.settings import ApiSettings, ProcessSettings


class AnalyticsApiSettings(ApiSettings):
    """Of ``analytics-api``."""

    campaign_svc_url: HttpUrl
    """Asked for a campaign whose events have not arrived yet."""


class AnalyticsEventsSettings(ProcessSettings):
    """Of ``analytics-events``."""
