"""The lead service, and the campaign service that it asks."""

from tests.fixtures.campaigns import campaigns_database
from tests.fixtures.lead_service import lead_service, leads_template

__all__ = ["campaigns_database", "lead_service", "leads_template"]
