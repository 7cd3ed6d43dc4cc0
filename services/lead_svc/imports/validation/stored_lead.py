"""A lead that an import finds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StoredLead:
    """A lead that the campaign has, as far as an import must know it."""

    id: int
    phone: str
    status: str
