"""Settings of the analytics service's processes."""

from shared.settings import ApiSettings, ProcessSettings


class AnalyticsApiSettings(ApiSettings):
    """Of ``analytics-api``."""


class AnalyticsEventsSettings(ProcessSettings):
    """Of ``analytics-events``."""
