"""Errors of requests about subscriptions."""

from services.webhook_svc.subscriptions.subscription import MAX_SUBSCRIPTIONS
from shared.http.errors import BadRequest, Conflict, FieldError, NotFound, display_value, invalid_request


def subscription_not_found() -> NotFound:
    """Return the error for an id that is not one of the company's subscriptions."""
    return NotFound("Subscription not found")


def url_not_allowed(url: str, message: str) -> BadRequest:
    """Return the error for a URL to which no messages may be sent."""
    return invalid_request(FieldError(field="url", value=display_value(url), code="url_not_allowed", message=message))


def too_many_subscriptions() -> Conflict:
    """Return the error for a company that has the maximum number of subscriptions."""
    return Conflict("Subscription not created", f"A company can have at most {MAX_SUBSCRIPTIONS} subscriptions")


def subscription_disabled() -> Conflict:
    """Return the error for a subscription that gets nothing until its company updates it with ``active: true``."""
    return Conflict("Subscription is not active", "It is disabled; update it with active: true first")


def subscription_paused() -> Conflict:
    """Return the error for a subscription that gets nothing until it is resumed."""
    return Conflict("Subscription is not active", "It is paused because it failed for a day; resume it first")
