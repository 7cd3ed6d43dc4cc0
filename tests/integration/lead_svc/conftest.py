"""The lead service, and the campaign service from which it requests campaigns."""

from tests.fixtures.campaigns import campaigns_database
from tests.fixtures.lead_service import lead_service, leads_template

__all__ = ["campaigns_database", "lead_service", "leads_template"]
