"""The command line of a service: ``python -m services.<service> api|events|migrate|rebuild``."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import TypeVar

from fastapi import FastAPI
from pydantic import ValidationError

from shared.http.app import serve
from shared.logs import configure_logs
from shared.messaging.history import HistoryIncomplete
from shared.messaging.rebuild import RebuildResult
from shared.settings import LogSettings, ProcessSettings

S = TypeVar("S", bound=LogSettings)
P = TypeVar("P", bound=ProcessSettings)


def load_settings(settings_class: type[S], *, process: str) -> S:
    """Read the settings and set up the log; exits with status 2 and a line a fault when they are incomplete."""
    try:
        settings = settings_class()
    except ValidationError as error:
        for fault in error.errors(include_input=False):
            name = "_".join(str(part) for part in fault["loc"]).upper()
            message = fault["msg"].removeprefix("Value error, ")
            sys.stderr.write(f"{process}: {name + ': ' if name else ''}{message}\n")
        sys.exit(2)
    configure_logs(settings, process=process)
    return settings


def run_process(settings_class: type[P], create_app: Callable[[P], FastAPI], *, process: str) -> None:
    """Start one process of a service and serve until it is told to stop."""
    settings = load_settings(settings_class, process=process)
    serve(create_app(settings), settings)


def run_rebuild(
    settings_class: type[P], rebuild: Callable[[P], Awaitable[RebuildResult]], *, process: str, what: str
) -> None:
    """Build a projection anew and say what came of it; exits with status 1 when not all of it could be.

    Parameters
    ----------
    what
        What is rebuilt, as a sentence begins with it.
    """
    settings = load_settings(settings_class, process=process)

    async def whole() -> RebuildResult:
        return await rebuild(settings)

    try:
        rebuilt = asyncio.run(whole())
    except HistoryIncomplete as error:
        sys.stderr.write(f"Nothing was changed: {error}\n")
        sys.exit(1)
    sys.stdout.write(f"{what} rebuilt from {rebuilt.applied} events; {rebuilt.failed} more could not be applied\n")
    sys.exit(1 if rebuilt.failed else 0)
