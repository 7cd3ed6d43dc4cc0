"""Tells a database that is away from one that refuses what it was asked."""

from typing import Final

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

RETRYABLE_STATES: Final = {
    "serialization failure": "40001",
    "deadlock": "40P01",
    "lock not available": "55P03",
    "database accepts no connections": "55000",
    "read-only, as a standby is": "25006",
    "table not there, as before the first migration": "42P01",
    "column not there, as before the newest migration": "42703",
}
"""SQLSTATEs that say "not now": neither a message nor a request is to blame for them."""
RETRYABLE_CLASSES: Final = {
    "connection": "08",
    "authorization": "28",
    "no such database": "3D",
    "resources: disk, memory, connections": "53",
    "shutdown, crash, starting": "57P",
    "input and output": "58",
}
"""Beginnings of such SQLSTATEs."""


def is_unavailable(error: Exception) -> bool:
    """Whether the database could not be asked, rather than refused what it was asked: the same may succeed later."""
    if isinstance(error, OSError | PoolTimeoutError):  # asyncio's TimeoutError is an OSError too
        return getattr(error, "filename", None) is None  # one that names a file is about that file
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    # Raised by SQLAlchemy around the driver's error, or by the driver itself where it is used directly.
    state: str = getattr(getattr(error, "orig", error), "sqlstate", None) or ""
    return state in RETRYABLE_STATES.values() or state.startswith(tuple(RETRYABLE_CLASSES.values()))
