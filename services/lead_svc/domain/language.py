"""Language tags: the one rule for files, JSON and the API alike."""

import re
from typing import Final

_TAG: Final = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*")
"""The form of a BCP 47 language tag."""


def language_tag(text: str) -> str | None:
    """The tag in the case that RFC 5646 recommends: ``EN_us`` is ``en-US``; None if the text is no tag."""
    tag = text.replace("_", "-")
    if not _TAG.fullmatch(tag):
        return None
    language, *subtags = tag.split("-")
    return "-".join([language.lower(), *map(_subtag, subtags)])


def _subtag(subtag: str) -> str:
    # A region in capitals, a script capitalised.
    if subtag.isalpha() and len(subtag) == 2:
        return subtag.upper()
    return subtag.capitalize() if subtag.isalpha() and len(subtag) == 4 else subtag.lower()
