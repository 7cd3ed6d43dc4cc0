"""Which types of events a subscription may name, and which its patterns mean."""

from collections.abc import Iterable
from typing import Final

from shared.events.catalogue import EVENTS

EVENT_TYPES: Final = tuple(EVENTS)
"""Every type of event that is told, in the catalogue's order; commands are none."""

PING: Final = "webhook.ping.v1"
"""Type of the event that a test sends. It is sent to one subscription, whatever that has subscribed to."""


def matches(pattern: str, event_type: str) -> bool:
    """Whether a pattern means a type: itself, all that begins as it does before a ``*`` at its end."""
    if pattern.endswith("*"):
        return event_type.startswith(pattern[:-1])
    return pattern == event_type


def wants(patterns: Iterable[str], event_type: str) -> bool:
    """Whether any of the patterns means a type."""
    return any(matches(pattern, event_type) for pattern in patterns)


def known(pattern: str) -> str:
    """Accept a type there is, ``*``, or a beginning of types with ``.*`` after it; of use as a validator.

    Raises
    ------
    ValueError
        If the pattern is neither: it would wait for ever for an event that nobody tells.
    """
    stem = pattern.removesuffix("*")
    well_formed = "*" not in stem and (stem == pattern or stem == "" or stem.endswith("."))
    if not well_formed or not any(matches(pattern, event_type) for event_type in EVENT_TYPES):
        raise ValueError(
            "must be a type of event, such as lead.created.v1, or a wildcard for some, such as lead.* or *"
        )
    return pattern
