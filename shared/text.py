"""Text for people: errors and logs repeat values of callers, and must not repeat megabytes."""

from typing import Final

DISPLAY_LENGTH: Final = 100
"""Most characters of a rejected value that an error repeats."""
ELLIPSIS: Final = "…"


def shorten(text: str, limit: int = DISPLAY_LENGTH, *, ellipsis: str = ELLIPSIS) -> str:
    """Cut a text that is longer than ``limit`` characters, and mark the cut.

    Parameters
    ----------
    ellipsis
        Follows the characters that remain, in addition to ``limit``. Empty for the errors of fields
        (``FieldError.value``), which API clients get without a mark.
    """
    return text if len(text) <= limit else text[:limit] + ellipsis
