"""The lead service, at work."""

from tests.fixtures.leads import company, lead_api, leads_database, other_company

__all__ = ["company", "lead_api", "leads_database", "other_company"]
