"""Structured logs: one line an event, JSON in containers and readable on a terminal.

Values that are bound with ``structlog.contextvars`` (``request_id``, ``company_id``, ``event_id``) are on every line
that is written while they are bound, also on the lines of libraries that log through ``logging``.
"""

import logging
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import orjson
import structlog

from shared.settings import LogSettings

if TYPE_CHECKING:
    from structlog.typing import Processor


_WITHOUT_LOCALS = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
"""Local variables contain tokens, secrets and phone numbers, which do not belong in a log."""


def _dump(line: object, *, default: Callable[[object], object]) -> str:
    return orjson.dumps(line, default=default).decode()


class _NamedLogger(structlog.WriteLogger):
    """Writes lines to standard output, each at once."""

    def __init__(self, name: str = "root") -> None:
        super().__init__(sys.stdout)
        self.name = name


def configure_logs(settings: LogSettings, *, process: str) -> None:
    """Send everything that this process logs to standard output, in the format of the settings.

    Parameters
    ----------
    process
        The name on every line, such as ``lead-api``.
    """

    def name_process(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        event["process"] = process
        return event

    enrich: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        name_process,
    ]
    render: list[Processor] = (
        [structlog.processors.ExceptionRenderer(_WITHOUT_LOCALS), structlog.processors.JSONRenderer(_dump)]
        if settings.log_format == "json"
        else [
            # Plain: the rich kind prints local variables too.
            structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty(), exception_formatter=structlog.dev.plain_traceback)
        ]
    )
    # Our own lines are written as they are rendered: a record of ``logging`` in between would double the cost.
    structlog.configure(
        processors=[*enrich, *render],
        logger_factory=_NamedLogger,
        wrapper_class=structlog.make_filtering_bound_logger(settings.log_level),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*enrich, structlog.stdlib.PositionalArgumentsFormatter()],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level)
    for chatty in ("aiormq", "aio_pika", "httpx", "httpcore", "uvicorn.access"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
