"""Fixtures of the running campaign service."""

from tests.fixtures.campaigns import campaign_api, campaign_document, campaigns_database, company

__all__ = ["campaign_api", "campaign_document", "campaigns_database", "company"]
