"""Time zones: the names of the IANA database, from the package ``tzdata``: the same on every machine."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

PLACEHOLDER: Final = "Factory"
"""A name in the database for a clock whose zone is not set."""


@cache
def _names() -> frozenset[str]:
    return frozenset(files("tzdata").joinpath("zones").read_text(encoding="utf-8").split())


@cache
def time_zone_names() -> frozenset[str]:
    """Return every name that is accepted as a time zone, such as ``Europe/Berlin``; not the placeholder."""
    return _names() - {PLACEHOLDER}


@cache
def time_zones_by_lower_case() -> Mapping[str, str]:
    """Return every name by its lower-case form, for names that people wrote into a file: ``europe/berlin``.

    The placeholder is among them: files and bodies of leads have always been accepted with it.
    """
    return {name.lower(): name for name in _names()}
