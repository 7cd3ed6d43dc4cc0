"""Distinguishes a database that is unavailable from one that rejects a statement."""

from typing import Final

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

RETRYABLE_STATES: Final = {
    "serialization failure": "40001",
    "deadlock": "40P01",
    "lock not available": "55P03",
    "database accepts no connections": "55000",
    "read-only, as a standby is": "25006",
    "no such table, as before the first migration": "42P01",
    "no such column, as before the newest migration": "42703",
}
"""SQLSTATEs that mean "not now": neither a message nor a request has caused them."""
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
    """Return whether an error means that the database is unavailable: the same statement may succeed later."""
    if isinstance(error, OSError | PoolTimeoutError):  # asyncio's TimeoutError is an OSError too
        return getattr(error, "filename", None) is None  # an error with a file name is about that file
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    # Raised by SQLAlchemy around the driver's error, or by the driver where it is used directly.
    state: str = getattr(getattr(error, "orig", error), "sqlstate", None) or ""
    return state in RETRYABLE_STATES.values() or state.startswith(tuple(RETRYABLE_CLASSES.values()))
