"""Settings of the webhook service's processes."""

from ipaddress import ip_network
from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_settings import NoDecode

from services.webhook_svc.domain.destinations import DestinationPolicy, Network
from shared.settings import ApiSettings, ProcessSettings


def _networks(given: object) -> object:
    if isinstance(given, str):
        return tuple(ip_network(part.strip()) for part in given.split(",") if part.strip())
    return given


class WebhookSettings(ProcessSettings):
    """What both processes must know alike: a subscription is judged as its deliveries will be."""

    webhook_allow_http: bool = False
    """Let subscriptions have ``http`` URLs."""
    webhook_allowed_networks: Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_networks)] = ()
    """Networks with commas between them, as ``10.1.0.0/16,fd00::/8``, to which messages may go although they are not
    public."""

    @property
    def destinations(self) -> DestinationPolicy:
        """The destinations that the operator allows."""
        return DestinationPolicy(self.webhook_allow_http, self.webhook_allowed_networks)


class WebhookApiSettings(ApiSettings, WebhookSettings):
    """Of ``webhook-api``."""


class WebhookEventsSettings(WebhookSettings):
    """Of ``webhook-events``."""

    webhook_attempt_seconds: float = Field(default=10, gt=0, le=30)
    """How long one attempt may take, from looking the name up to the answer's status."""
    webhook_concurrency: int = Field(default=50, ge=1, le=1000)
    """Most attempts at once in this process."""
    webhook_concurrency_per_subscription: int = Field(default=4, ge=1)
    """Most attempts at once at one subscription, in all processes together."""
    webhook_retention_days: int = Field(default=7, ge=2)
    """How long bodies and the log of their deliveries are kept; longer than a delivery is tried."""
