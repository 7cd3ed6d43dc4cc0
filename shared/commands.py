"""The command line of a service: ``python -m services.<service> api|events|migrate``."""

import sys
from collections.abc import Callable
from typing import TypeVar

from fastapi import FastAPI
from pydantic import ValidationError

from shared.http.app import serve
from shared.logs import configure_logs
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
