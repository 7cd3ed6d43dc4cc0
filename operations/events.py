"""``python -m operations events``: prints events as they are published."""

import asyncio
import logging
import os
import re
import signal
from contextlib import aclosing, suppress
from datetime import UTC, datetime, timedelta
from typing import Annotated

import aio_pika
import typer
from aio_pika.exceptions import AMQPException

from shared.messaging.event_line import event_line
from shared.messaging.tail import Beginning, Received, Selection, watch

_AGO = re.compile(r"(\d{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def events(
    *,
    types: Annotated[list[str] | None, typer.Option("--type", help="Only these types: lead.*, campaign.#.")] = None,
    company: Annotated[int | None, typer.Option(help="Only this company's.")] = None,
    since: Annotated[str | None, typer.Option(help="Begin in the history: 90s, 30m, 1h or 7d ago, or a time.")] = None,
    from_start: Annotated[bool, typer.Option("--from-start", help="Begin with the history.")] = False,
    follow: Annotated[bool, typer.Option(help="Go on with new events, or end with the history.")] = True,
    json: Annotated[bool, typer.Option("--json", help="Whole events, as JSON.")] = False,
) -> None:
    """Print events, one a line, as they are published; Ctrl-C ends. No other consumer loses any."""
    if since is not None and from_start:
        raise typer.BadParameter("pass --since or --from-start, not both")
    beginning: Beginning = "first" if from_start else None
    if since is not None:
        beginning = read_since(since, datetime.now(UTC))
    if beginning is None and not follow:
        raise typer.BadParameter("--no-follow ends with the history: pass --since or --from-start too")
    url = os.environ.get("AMQP_URL")
    if not url:
        typer.echo("AMQP_URL: Field required", err=True)
        raise typer.Exit(2)
    logging.getLogger("aiormq").setLevel(logging.CRITICAL)  # the error is printed below
    selection = Selection(tuple(types or ()), company, beginning if isinstance(beginning, datetime) else None)
    try:
        asyncio.run(_watch(url, selection, beginning, follow=follow, json=json))
    except BrokenPipeError:
        raise  # the reader of the output has ended
    except (OSError, AMQPException, RuntimeError) as error:
        typer.echo(f"The broker was lost: {error!r}", err=True)
        raise typer.Exit(1) from error


def read_since(text: str, now: datetime) -> datetime:
    """Read a duration before now (``1h``), or an ISO 8601 time, which is UTC without an offset."""
    ago = _AGO.fullmatch(text.strip())
    try:
        if ago:
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise typer.BadParameter(f"--since is {text!r}; it must be like 90s, 30m, 1h, 7d or 2024-03-01T09:00") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


async def _watch(url: str, selection: Selection, beginning: Beginning, *, follow: bool, json: bool) -> None:
    """Print until the history ends or a signal comes."""
    printing = asyncio.ensure_future(_print(url, selection, beginning, follow=follow, json=json))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, printing.cancel)
    with suppress(asyncio.CancelledError):
        await printing


async def _print(url: str, selection: Selection, beginning: Beginning, *, follow: bool, json: bool) -> None:
    def ready() -> None:
        typer.echo("Watching events" + ("; Ctrl-C ends" if follow else ""), err=True)

    async with (
        await aio_pika.connect(url, timeout=5) as connection,
        aclosing(watch(connection, beginning, follow=follow, ready=ready)) as events_received,
    ):
        async for received in events_received:
            _print_one(received, selection, json=json)


def _print_one(received: Received, selection: Selection, *, json: bool) -> None:
    if received.event is None:
        typer.echo(f"Not readable: {received.body[:200]!r}", err=True)
    elif selection.matches(received.event):
        typer.echo(received.body.decode() if json else event_line(received.event))
