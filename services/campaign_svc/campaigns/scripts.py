"""Call scripts: text with placeholders such as ``{customer_name}``, filled in for each call."""

import re

_PLACEHOLDER = re.compile(r"\{[A-Za-z_][A-Za-z0-9_]{0,63}\}")
_SHOWN_LENGTH = 30


class MalformedPlaceholder(ValueError):
    """A brace of a script does not belong to a placeholder."""


def check_placeholders(script: str) -> str:
    """Return ``script`` when each of its braces belongs to a placeholder: a name in braces, nothing else.

    A script is spoken, so there is no way to write a brace that means itself.

    Raises
    ------
    MalformedPlaceholder
        Naming the first brace that is out of place.
    """
    # Blanks of the same length keep the positions of what is left.
    rest = _PLACEHOLDER.sub(lambda placeholder: " " * len(placeholder.group()), script)
    stray = re.search(r"[{}]", rest)
    if stray is not None:
        shown = script[stray.start() : stray.start() + _SHOWN_LENGTH]
        raise MalformedPlaceholder(
            f"Malformed placeholder at character {stray.start() + 1}: {shown!r} is not a name in braces,"
            " as in {customer_name}"
        )
    return script
