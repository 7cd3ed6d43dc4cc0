"""``python -m shared.messaging events``: watches the bus."""

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
from shared.messaging.tail import Beginning, Seen, Selection, watch

_AGO = re.compile(r"(\d{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def events(
    *,
    types: Annotated[list[str] | None, typer.Option("--type", help="Only these types: lead.*, campaign.#.")] = None,
    company: Annotated[int | None, typer.Option(help="Only this company's.")] = None,
    since: Annotated[
        str | None, typer.Option(help="First what the history has since: 90s, 30m, 1h, 7d, a time.")
    ] = None,
    from_start: Annotated[bool, typer.Option("--from-start", help="First all that the history has.")] = False,
    follow: Annotated[bool, typer.Option(help="Go on with what is published, or end with the history.")] = True,
    json: Annotated[bool, typer.Option("--json", help="Whole events, as JSON.")] = False,
) -> None:
    """Show events, one a line, as they are published; Ctrl-C ends it. No other consumer gets any less."""
    if since is not None and from_start:
        raise typer.BadParameter("give --since or --from-start, not both")
    beginning: Beginning = "first" if from_start else None
    if since is not None:
        beginning = read_since(since, datetime.now(UTC))
    if beginning is None and not follow:
        raise typer.BadParameter("--no-follow ends with the history: give --since or --from-start too")
    url = os.environ.get("AMQP_URL")
    if not url:
        typer.echo("AMQP_URL: Field required", err=True)
        raise typer.Exit(2)
    logging.getLogger("aiormq").setLevel(logging.CRITICAL)  # what it has to say is told below
    wanted = Selection(tuple(types or ()), company, beginning if isinstance(beginning, datetime) else None)
    try:
        asyncio.run(_show(url, wanted, beginning, follow=follow, json=json))
    except BrokenPipeError:
        raise  # whoever read this has seen enough
    except (OSError, AMQPException, RuntimeError) as error:
        typer.echo(f"The broker was lost: {error!r}", err=True)
        raise typer.Exit(1) from error


def read_since(text: str, now: datetime) -> datetime:
    """A moment: so long ago (``1h``), or an ISO 8601 time, which is UTC when it does not say."""
    ago = _AGO.fullmatch(text.strip())
    try:
        if ago:
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise typer.BadParameter(f"--since is {text!r}; it must be like 90s, 30m, 1h, 7d or 2024-03-01T09:00") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


async def _show(url: str, wanted: Selection, beginning: Beginning, *, follow: bool, json: bool) -> None:
    """Print until the history ends or a signal comes."""
    showing = asyncio.ensure_future(_print(url, wanted, beginning, follow=follow, json=json))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, showing.cancel)
    with suppress(asyncio.CancelledError):
        await showing


async def _print(url: str, wanted: Selection, beginning: Beginning, *, follow: bool, json: bool) -> None:
    def ready() -> None:
        typer.echo("Watching events" + ("; Ctrl-C ends" if follow else ""), err=True)

    async with (
        await aio_pika.connect(url, timeout=5) as connection,
        aclosing(watch(connection, beginning, follow=follow, ready=ready)) as arriving,
    ):
        async for seen in arriving:
            _print_one(seen, wanted, json=json)


def _print_one(seen: Seen, wanted: Selection, *, json: bool) -> None:
    if seen.event is None:
        typer.echo(f"Not readable: {seen.body[:200]!r}", err=True)
    elif wanted.takes(seen.event):
        typer.echo(seen.body.decode() if json else event_line(seen.event))
