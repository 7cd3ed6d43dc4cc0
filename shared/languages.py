"""Language tags (BCP 47, RFC 5646).

There are two rules, because what campaigns accept and what leads accept differs: a campaign names the language of a
voice, and its tag must be well-formed as it is; a lead's language comes from files that people wrote, and is brought
into form.
"""

import re
from typing import Final

_WELL_FORMED: Final = re.compile(
    r"""
    ([A-Za-z]{2,3}(-[A-Za-z]{3}){0,3} | [A-Za-z]{4,8})   # language, with extensions of it
    (-[A-Za-z]{4})?                                      # script
    (-([A-Za-z]{2}|[0-9]{3}))?                           # region
    (-([A-Za-z0-9]{5,8}|[0-9][A-Za-z0-9]{3}))*           # variants
    (-[A-WY-Za-wy-z0-9](-[A-Za-z0-9]{2,8})+)*            # extensions
    (-[Xx](-[A-Za-z0-9]{1,8})+)?                         # for private use
    """,
    re.VERBOSE,
)
_WRITTEN: Final = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*")
_REGION_LENGTH: Final = 2
_SCRIPT_LENGTH: Final = 4


def is_language_tag(text: str) -> bool:
    """Return whether a text is well-formed as RFC 5646, section 2.1, defines it; whether it is registered is open."""
    return _WELL_FORMED.fullmatch(text) is not None


def normalize_language_tag(text: str) -> str | None:
    """Return a tag as people write it in the case that RFC 5646 recommends: ``EN_us`` is ``en-US``.

    None if the text has not the form of a tag: a language of two or three letters, then subtags.
    """
    tag = text.replace("_", "-")
    if not _WRITTEN.fullmatch(tag):
        return None
    language, *subtags = tag.split("-")
    return "-".join([language.lower(), *map(_normalize_subtag, subtags)])


def _normalize_subtag(subtag: str) -> str:
    if subtag.isalpha() and len(subtag) == _REGION_LENGTH:
        return subtag.upper()
    return subtag.capitalize() if subtag.isalpha() and len(subtag) == _SCRIPT_LENGTH else subtag.lower()
