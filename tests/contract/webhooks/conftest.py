"""Fixtures of the webhook service."""

from tests.fixtures.campaigns import company
from tests.fixtures.webhooks import receiver, webhook_api, webhook_session_api, webhooks_database, webhooks_migrated

__all__ = ["company", "receiver", "webhook_api", "webhook_session_api", "webhooks_database", "webhooks_migrated"]
