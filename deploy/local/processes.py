"""The product's processes: name, command and settings of each."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """A process of the product, started as `python ARGUMENTS`.

    Attributes
    ----------
    database : str
        The database it uses, and the role it uses it as.
    needs : tuple of str
        Names of its other settings, beside database, broker and Redis: keys of `Stack`'s settings.
    """

    name: str
    arguments: tuple[str, ...]
    database: str
    needs: tuple[str, ...] = ()


REBUILDS = {
    "campaign-events": ("-m", "services.campaign_svc", "rebuild"),
    "analytics-events": ("-m", "services.analytics_svc", "rebuild"),
}
"""The commands that rebuild totals and reports, by the process whose settings they use."""

EVENTS = ("lead-events", ("-m", "operations", "events"))
"""The process whose settings the event viewer uses, and its command."""

DEAD_LETTERS = ("lead-events", ("-m", "operations", "dlq"))
"""The process whose settings the dead letter tool uses, and its command."""


@dataclass(frozen=True, slots=True)
class Product:
    """What runs on the servers: one-shot migrations first, then the processes, then the gateway before the APIs."""

    migrations: tuple[ProcessSpec, ...]
    processes: tuple[ProcessSpec, ...]
    gateway_upstreams: Mapping[str, str]


PRODUCT = Product(
    migrations=(
        ProcessSpec("campaign-migrate", ("-m", "services.campaign_svc", "migrate"), "campaigns"),
        ProcessSpec("lead-migrate", ("-m", "services.lead_svc", "migrate"), "leads"),
        ProcessSpec("analytics-migrate", ("-m", "services.analytics_svc", "migrate"), "analytics"),
        ProcessSpec("webhook-migrate", ("-m", "services.webhook_svc", "migrate"), "webhooks"),
    ),
    processes=(
        ProcessSpec(
            "campaign-api",
            ("-m", "services.campaign_svc", "api"),
            "campaigns",
            needs=("JWT_SECRET", "ANALYTICS_SVC_URL"),
        ),
        ProcessSpec("campaign-events", ("-m", "services.campaign_svc", "events"), "campaigns"),
        ProcessSpec("lead-api", ("-m", "services.lead_svc", "api"), "leads", needs=("JWT_SECRET", "CAMPAIGN_SVC_URL")),
        ProcessSpec("lead-events", ("-m", "services.lead_svc", "events"), "leads"),
        ProcessSpec("import-worker", ("-m", "services.import_worker"), "leads"),
        ProcessSpec(
            "analytics-api",
            ("-m", "services.analytics_svc", "api"),
            "analytics",
            needs=("JWT_SECRET", "CAMPAIGN_SVC_URL"),
        ),
        ProcessSpec("analytics-events", ("-m", "services.analytics_svc", "events"), "analytics"),
        ProcessSpec(
            "webhook-api",
            ("-m", "services.webhook_svc", "api"),
            "webhooks",
            needs=("JWT_SECRET", "WEBHOOK_ALLOW_HTTP", "WEBHOOK_ALLOWED_NETWORKS"),
        ),
        ProcessSpec(
            "webhook-events",
            ("-m", "services.webhook_svc", "events"),
            "webhooks",
            needs=("WEBHOOK_ALLOW_HTTP", "WEBHOOK_ALLOWED_NETWORKS"),
        ),
    ),
    # The gateway template's names for the APIs.
    gateway_upstreams={
        "CAMPAIGN_API": "campaign-api",
        "LEAD_API": "lead-api",
        "ANALYTICS_API": "analytics-api",
        "WEBHOOK_API": "webhook-api",
    },
)
