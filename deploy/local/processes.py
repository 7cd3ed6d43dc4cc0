"""The product's processes: what each is called, how it is started and what it needs to know."""

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
        Which further settings it gets, besides its database, the broker and Redis: names in `Stack`'s settings.
    """

    name: str
    arguments: tuple[str, ...]
    database: str
    needs: tuple[str, ...] = ()


REBUILDS = {
    "campaign-events": ("-m", "services.campaign_svc", "rebuild"),
    "analytics-events": ("-m", "services.analytics_svc", "rebuild"),
}
"""What builds totals and reports anew, by whose settings it takes: those of a process that knows database and broker."""


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
    ),
    # The gateway template's names for the APIs.
    gateway_upstreams={
        "CAMPAIGN_API": "campaign-api",
        "LEAD_API": "lead-api",
        "ANALYTICS_API": "analytics-api",
    },
)
