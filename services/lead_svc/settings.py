"""Settings of the lead service's processes."""

from pydantic import Field, HttpUrl

from shared.settings import ApiSettings, ProcessSettings


class LeadApiSettings(ApiSettings):
    """Of ``lead-api``."""

    campaign_svc_url: HttpUrl
    """Address of campaign_svc, for campaigns whose events have not arrived yet."""
    import_wait_seconds: float = Field(default=30, gt=0)
    """How long a synchronous import waits for its end before the response is 202."""
    import_poll_seconds: float = Field(default=0.5, gt=0)
    """Interval at which a waiting request reads its import job, in case the message of the job's end is lost."""


class LeadEventsSettings(ProcessSettings):
    """Of ``lead-events``."""
