"""Fixtures of the analytics service."""

from tests.fixtures.analytics import analytics_database, analytics_migrated, analytics_url, reports_api

__all__ = ["analytics_database", "analytics_migrated", "analytics_url", "reports_api"]
