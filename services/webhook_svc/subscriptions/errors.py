"""What can be wrong with a request about subscriptions."""

from services.webhook_svc.subscriptions.repository import MOST_OF_A_COMPANY
from shared.http.errors import BadRequest, Conflict, FieldError, NotFound, display_value, invalid_request


def not_found() -> NotFound:
    """The company has no such subscription."""
    return NotFound("Subscription not found")


def bad_url(url: str, objection: str) -> BadRequest:
    """No messages are sent to this URL."""
    return invalid_request(FieldError(field="url", value=display_value(url), code="url_not_allowed", message=objection))


def too_many() -> Conflict:
    """The company has as many subscriptions as it may."""
    return Conflict("Subscription not created", f"A company can have at most {MOST_OF_A_COMPANY} subscriptions")


def switched_off() -> Conflict:
    """The subscription gets nothing until its company wants it to be active."""
    return Conflict("Subscription is not active", "It is disabled; update it with active: true first")


def paused() -> Conflict:
    """The subscription gets nothing until it is resumed."""
    return Conflict("Subscription is not active", "It is paused because it failed for a day; resume it first")
