"""Event types that subscriptions may name, and the patterns that select them."""

from collections.abc import Iterable
from typing import Final

from shared.events.catalogue import EVENTS

EVENT_TYPES: Final = tuple(EVENTS)
"""Every published event type, in the catalogue's order; commands are not among them."""

PING: Final = "webhook.ping.v1"
"""Type of the event that a test sends, to one subscription and whatever types it has."""


def matches(pattern: str, event_type: str) -> bool:
    """Return whether a pattern selects a type: the type itself, or a prefix followed by ``*``."""
    if pattern.endswith("*"):
        return event_type.startswith(pattern[:-1])
    return pattern == event_type


def matches_any(patterns: Iterable[str], event_type: str) -> bool:
    """Return whether one of the patterns selects a type."""
    return any(matches(pattern, event_type) for pattern in patterns)


def validate_pattern(pattern: str) -> str:
    """Return the pattern if it is an event type, ``*``, or a prefix of types with ``.*``; for use as a validator.

    Raises
    ------
    ValueError
        If the pattern selects no published type: its subscription would never get an event.
    """
    stem = pattern.removesuffix("*")
    well_formed = "*" not in stem and (stem == pattern or stem == "" or stem.endswith("."))
    if not well_formed or not any(matches(pattern, event_type) for event_type in EVENT_TYPES):
        raise ValueError(
            "must be a type of event, such as lead.created.v1, or a wildcard for some, such as lead.* or *"
        )
    return pattern
