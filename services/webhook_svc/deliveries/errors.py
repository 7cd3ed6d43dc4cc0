"""Errors of requests about deliveries."""

from shared.http.errors import Conflict, NotFound


def delivery_not_found() -> NotFound:
    """Return the error for an id that is not, or no longer, one of the subscription's deliveries."""
    return NotFound("Delivery not found")


def delivery_in_progress() -> Conflict:
    """Return the error for a delivery that a process is sending: it cannot be sent twice at the same time."""
    return Conflict("Delivery is under way", "An attempt is in progress; try again when it has ended")
