"""Call scripts: text with placeholders such as ``{customer_name}``, filled in for each call."""

import re

_PLACEHOLDER = re.compile(r"\{[A-Za-z_][A-Za-z0-9_]{0,63}\}")
_EXCERPT_LENGTH = 30


class MalformedPlaceholderError(ValueError):
    """A brace of a script is not part of a placeholder."""


def check_placeholders(script: str) -> str:
    """Return ``script`` if each of its braces is part of a placeholder: a name in braces, nothing else.

    A script is spoken, so there is no escape for a literal brace.

    Raises
    ------
    MalformedPlaceholderError
        With the position of the first brace that is not part of a placeholder.
    """
    # Blanks of the same length do not move the remaining text.
    rest = _PLACEHOLDER.sub(lambda placeholder: " " * len(placeholder.group()), script)
    stray = re.search(r"[{}]", rest)
    if stray is not None:
        excerpt = script[stray.start() : stray.start() + _EXCERPT_LENGTH]
        raise MalformedPlaceholderError(
            f"Malformed placeholder at character {stray.start() + 1}: {excerpt!r} is not a name in braces,"
            " as in {customer_name}"
        )
    return script
