"""The API document that the gateway serves, made of the services' own: ``python -m deploy.openapi`` writes it."""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import services.analytics_svc.app
import services.campaign_svc.app
import services.lead_svc.app
import services.webhook_svc.app
from services.analytics_svc.settings import AnalyticsApiSettings
from services.campaign_svc.settings import CampaignApiSettings
from services.lead_svc.settings import LeadApiSettings
from services.webhook_svc.settings import WebhookApiSettings

Document = dict[str, Any]

FILE = Path(__file__).parent / "gateway" / "docs" / "openapi.json"
PROJECT = Path(__file__).parents[1] / "pyproject.toml"

CONVENTIONS = """\
Every request carries `Authorization: Bearer <token>`; the token lists the companies that it covers. Ids are integers,
times are ISO 8601 with an offset. Every error response has a `message` (which operation failed) and an `error` (the
reason), and `errors` if there are several reasons. Every response has an `X-Request-ID`, which is in the logs too."""
TAGS = {
    "Campaigns": "Whom to call, when, how often, and with which AI voice and script.",
    "Members": "A company's team members and agents, by name.",
    "Leads": "The people to call.",
    "Do-not-call list": "Numbers that a company must not call.",
    "Lead imports": "Leads from CSV and Excel files and from JSON: all of it, or nothing.",
    "Lead exports": "Leads as CSV and Excel files, which an import reads back.",
    "Reports": "What the calls cost and what they brought.",
    "Webhooks": "Events over HTTP, signed, for programs that do not speak AMQP.",
}
"""Every tag that an operation may have, in the order of the page."""

_PLACEHOLDERS = {
    "database_url": "postgresql://unused@localhost/unused",
    "amqp_url": "amqp://localhost",
    "redis_url": "redis://localhost",
    "jwt_secret": "no token is signed with this placeholder",
    "campaign_svc_url": "http://localhost",
    "analytics_svc_url": "http://localhost",
}


TOO_LARGE = {"message": "Request too large", "error": "The request body exceeds the limit for this path"}
"""The response of the gateway itself to a body that is too large, as in its configuration."""
_TOO_LARGE: Document = {
    "413": {
        "description": "The body is larger than 1 MiB, or 10 MiB where many leads are imported.",
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/ErrorResponse"},
                "examples": {"too-large": {"summary": TOO_LARGE["error"], "value": TOO_LARGE}},
            }
        },
    }
}


class ContradictionError(Exception):
    """The services' documents do not make one."""


def service_documents() -> dict[str, Document]:
    """The document of each service that answers API clients, by the service's name."""
    # An app connects to nothing before it serves, so that its settings need only be of the right form.
    apps = {
        "campaign_svc": services.campaign_svc.app.create_api_app(CampaignApiSettings.model_validate(_PLACEHOLDERS)),
        "lead_svc": services.lead_svc.app.create_api_app(LeadApiSettings.model_validate(_PLACEHOLDERS)),
        "analytics_svc": services.analytics_svc.app.create_api_app(AnalyticsApiSettings.model_validate(_PLACEHOLDERS)),
        "webhook_svc": services.webhook_svc.app.create_api_app(WebhookApiSettings.model_validate(_PLACEHOLDERS)),
    }
    return {service: app.openapi() for service, app in apps.items()}


def merged(documents: Mapping[str, Document]) -> Document:
    """One document of all: the services in their order, and of each its operations in theirs.

    Raises
    ------
    ContradictionError
        If two services mean different things by one name, or an operation has a tag that is not described.
    """
    paths: dict[str, dict[str, Any]] = {}
    components: dict[str, dict[str, Any]] = {}
    meanings = _Meanings()
    for service, document in documents.items():
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                meanings.add(service, "operation", f"{method.upper()} {path}", operation)
                meanings.add(service, "operation id", operation["operationId"], (path, method))
                _require_described_tags(service, operation)
                paths.setdefault(path, {})[method] = _at_the_gateway(operation)
        for kind, named in document["components"].items():
            for name, component in named.items():
                meanings.add(service, kind, name, component)
                components.setdefault(kind, {})[name] = component
    project = tomllib.loads(PROJECT.read_text("utf-8"))["project"]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Voice Campaigns",
            "description": f"{project['description']}\n\n{CONVENTIONS}",
            "version": project["version"],
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": description} for name, description in TAGS.items()],
        "paths": paths,
        "components": {kind: dict(sorted(named.items())) for kind, named in sorted(components.items())},
    }


class _Meanings:
    """The meaning of each name, and the first service that has it."""

    def __init__(self) -> None:
        self._meanings: dict[tuple[str, str], tuple[str, object]] = {}

    def add(self, service: str, kind: str, name: str, meaning: object) -> None:
        """Add the meaning of a name in a service; it must be the same in all services."""
        first, known = self._meanings.setdefault((kind, name), (service, meaning))
        if known != meaning:
            raise ContradictionError(f"{kind} {name}: {first} and {service} mean different things by it")


def _at_the_gateway(operation: Document) -> Document:
    """The operation with the answer that the gateway may give in its place."""
    if "application/json" not in operation.get("requestBody", {}).get("content", {}):
        return operation
    return operation | {"responses": operation["responses"] | _TOO_LARGE}


def _require_described_tags(service: str, operation: Document) -> None:
    for tag in operation.get("tags", []):
        if tag not in TAGS:
            raise ContradictionError(f"tag {tag} of {operation['operationId']} in {service}: TAGS does not describe it")


def text() -> str:
    """Return the document as it is in the file."""
    return json.dumps(merged(service_documents()), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), "utf-8")
