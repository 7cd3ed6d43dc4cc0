"""Fixtures of the running campaign service."""

from tests.fixtures.campaigns import campaign_api, campaigns_database, company

__all__ = ["campaign_api", "campaigns_database", "company"]
