"""Settings of the webhook service's processes."""

from ipaddress import ip_network
from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_settings import NoDecode

from services.webhook_svc.domain.destinations import DestinationPolicy, Network
from shared.settings import ApiSettings, ProcessSettings


def _parse_networks(value: object) -> object:
    if isinstance(value, str):
        return tuple(ip_network(part.strip()) for part in value.split(",") if part.strip())
    return value


class WebhookSettings(ProcessSettings):
    """Settings of both processes: a subscription is accepted by the same rules as its deliveries."""

    webhook_allow_http: bool = False
    """Whether the URLs of subscriptions may be ``http``."""
    webhook_allowed_networks: Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_parse_networks)] = ()
    """Networks that are allowed although they are not public, separated by commas: ``10.1.0.0/16,fd00::/8``."""

    @property
    def destinations(self) -> DestinationPolicy:
        """The destinations that the operator allows."""
        return DestinationPolicy(self.webhook_allow_http, self.webhook_allowed_networks)


class WebhookApiSettings(ApiSettings, WebhookSettings):
    """Settings of ``webhook-api``."""


class WebhookEventsSettings(WebhookSettings):
    """Settings of ``webhook-events``."""

    webhook_attempt_seconds: float = Field(default=10, gt=0, le=30)
    """Deadline of an attempt in seconds, from the resolution of the name to the status of the response."""
    webhook_concurrency: int = Field(default=50, ge=1, le=1000)
    """Maximum number of attempts at once in this process."""
    webhook_concurrency_per_subscription: int = Field(default=4, ge=1)
    """Maximum number of attempts at once for one subscription, in all processes together."""
    webhook_retention_days: int = Field(default=7, ge=2)
    """Days for which events and their log are stored; more than the one day for which a delivery is retried."""
