"""A product of stand-ins, for tests of the stack itself."""

from pathlib import Path

from deploy.local.processes import ProcessSpec, Product

STUB = str(Path(__file__).with_name("stub_service.py"))
UPSTREAMS = {
    "CAMPAIGN_API": "campaign-api",
    "LEAD_API": "lead-api",
    "ANALYTICS_API": "analytics-api",
    "WEBHOOK_API": "webhook-api",
}


def stub(name: str, database: str) -> ProcessSpec:
    """A stand-in for a service."""
    return ProcessSpec(name, (STUB, name), database)


APIS = (
    stub("campaign-api", "campaigns"),
    stub("lead-api", "leads"),
    stub("analytics-api", "analytics"),
    stub("webhook-api", "webhooks"),
)
STUB_PRODUCT = Product(
    migrations=(ProcessSpec("migrate", ("-c", "print('migrated')"), "campaigns"),),
    processes=APIS,
    gateway_upstreams=UPSTREAMS,
)
BROKEN_PRODUCT = Product(migrations=(), processes=(*APIS, stub("broken", "leads")), gateway_upstreams=UPSTREAMS)
