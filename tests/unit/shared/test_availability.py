"""Errors that mean that the database is unavailable, so that the same statement may succeed later."""

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from shared.database.availability import is_unavailable

NOT_NOW = [
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.LockNotAvailableError,
    asyncpg.ObjectNotInPrerequisiteStateError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.UndefinedTableError,
    asyncpg.UndefinedColumnError,
    asyncpg.ConnectionDoesNotExistError,
    asyncpg.InvalidPasswordError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.DiskFullError,
    asyncpg.OutOfMemoryError,
    asyncpg.TooManyConnectionsError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.PostgresIOError,
]
OF_THE_STATEMENT = [
    asyncpg.UniqueViolationError,
    asyncpg.CheckViolationError,
    asyncpg.InvalidTextRepresentationError,
    asyncpg.CharacterNotInRepertoireError,
    asyncpg.QueryCanceledError,
    asyncpg.PostgresSyntaxError,
]


@pytest.mark.parametrize("error", NOT_NOW)
def test_an_error_of_the_server_means_later(error: type[asyncpg.PostgresError]) -> None:
    """Fails when a message that has no part in the error counts as failed, or a request gets 500 instead of 503."""
    raised = error("")
    assert is_unavailable(raised)
    assert is_unavailable(DBAPIError("SELECT 1", None, raised))


@pytest.mark.parametrize("error", OF_THE_STATEMENT)
def test_an_error_of_the_statement_does_not(error: type[asyncpg.PostgresError]) -> None:
    """Fails when a message that can never be applied is retried without end."""
    raised = error("")
    assert not is_unavailable(raised)
    assert not is_unavailable(IntegrityError("SELECT 1", None, raised))


def test_a_connection_that_fails_means_later() -> None:
    for error in (ConnectionRefusedError(), TimeoutError(), PoolTimeoutError()):
        assert is_unavailable(error)
    assert is_unavailable(DBAPIError("SELECT 1", None, Exception(), connection_invalidated=True))


def test_an_error_about_a_file_is_not_one_of_the_database() -> None:
    assert not is_unavailable(FileNotFoundError(2, "No such file or directory", "leads.csv"))
    assert not is_unavailable(ValueError())
