"""``python -m shared.messaging dlq list|show|retry|drop``."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TextIO, TypeVar

import aio_pika
import orjson
import typer
from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import AMQPException

from shared.messaging import dead_letters
from shared.messaging.dead_letters import DeadLetter, NoSuchQueue, NotPutBack, Summary
from shared.messaging.queue_names import queue_names

T = TypeVar("T")

SHOWN = 20
NOT_LOOKED_AT = "(not looked at: show it)"
LIMITED = (
    "This queue was made without saying that its letters stay: RabbitMQ 4 drops what was looked at 20 times, unless a"
    " policy lifts that limit (docs/operations.md, Dead letters)"
)

cli = typer.Typer(help="Dead letters: what queues gave up on.", no_args_is_help=True)

QueueName = Annotated[str, typer.Argument(help="The queue that gave up on them, as `list` names it.")]
OneId = Annotated[str | None, typer.Option("--id", help="Only the message with this id.")]
All = Annotated[bool, typer.Option("--all", help="All of the queue's dead letters.")]


@cli.command("list")
def list_() -> None:
    """Every queue's dead letters: how many, since when, and why the first of them is there."""

    async def summaries(connection: AbstractConnection) -> list[Summary | str]:
        return [await _summary(connection, queue) for queue in queue_names()]

    rows = [("queue", "dead letters", "oldest", "first reason")]
    for summary in _on_broker(summaries):
        if isinstance(summary, str):
            rows.append((summary, "not there yet", "", ""))
            continue
        first = summary.first
        since = first.deaths[0].at if first and first.deaths else None
        reason = NOT_LOOKED_AT if summary.is_limited else first.reason if first else ""
        rows.append((summary.queue, str(summary.count), _time(since), reason))
    _print_table(rows)


@cli.command()
def show(
    queue: QueueName,
    one: OneId = None,
    limit: Annotated[int, typer.Option(min=1, help="How many, from the oldest.")] = SHOWN,
    *,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show dead letters with all that is known of them; they stay where they are."""
    queue = dead_letters.source_of(queue)

    async def looked_at(connection: AbstractConnection) -> list[DeadLetter]:
        if await dead_letters.is_limited(connection, queue):
            _say(LIMITED)
        return await dead_letters.look(connection, queue, only=one, limit=limit)

    letters = _on_broker(looked_at)
    if json:
        for letter in letters:
            _write_line(sys.stdout, letter)
    else:
        for letter in letters:
            typer.echo(_description(letter))
    if not letters:
        _say(f"No dead letter of {queue}" + (f" has the id {one}" if one else ""))
        raise typer.Exit(1 if one else 0)


@cli.command()
def retry(queue: QueueName, one: OneId = None, *, everything: All = False) -> None:
    """Put dead letters back into the queue they came from, once its cause is mended."""
    _require_choice(one, everything=everything)
    queue = dead_letters.source_of(queue)
    done = _on_broker(lambda connection: dead_letters.retry(connection, queue, only=one))
    _say(f"Put back into {queue}: {done}")
    raise typer.Exit(0 if done or everything else 1)


@cli.command()
def drop(
    queue: QueueName,
    one: OneId = None,
    to: Annotated[Path | None, typer.Option(help="File to add what is dropped to; else standard output.")] = None,
    *,
    everything: All = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete dead letters for good, after writing each down as a line of JSON."""
    _require_choice(one, everything=everything)
    queue = dead_letters.source_of(queue)
    if not yes:
        _require_yes(f"Drop {f'the dead letter {one}' if one else 'all dead letters'} of {queue}?")
    with _opened(to) as file:
        done = _on_broker(
            lambda connection: dead_letters.drop(connection, queue, lambda letter: _write_line(file, letter), only=one)
        )
    _say(f"Dropped from {queue}: {done}")
    raise typer.Exit(0 if done or everything else 1)


def _on_broker(ask: Callable[[AbstractConnection], Awaitable[T]]) -> T:
    """What the broker of AMQP_URL answers; whatever keeps it from that ends the command with a line."""
    url = os.environ.get("AMQP_URL")
    if not url:
        _say("AMQP_URL: Field required")
        raise typer.Exit(2)

    async def connected() -> T:
        async with await aio_pika.connect(url, timeout=5) as connection:
            return await ask(connection)

    try:
        return asyncio.run(connected())
    except NoSuchQueue as error:
        _say(f"There is no queue {error}; there are: {', '.join(queue_names())}")
    except NotPutBack as error:
        _say(f"Its queue did not take a letter, which is therefore still a dead one: {error}")
    except (OSError, AMQPException) as error:
        _say(f"The broker could not be asked: {error!r}")
    raise typer.Exit(1)


async def _summary(connection: AbstractConnection, queue: str) -> Summary | str:
    try:
        return await dead_letters.summarise(connection, queue)
    except NoSuchQueue:
        return queue


def _require_choice(one: str | None, *, everything: bool) -> None:
    if (one is None) is not everything:
        raise typer.BadParameter("give either --id ID or --all")


def _require_yes(question: str) -> None:
    # typer's own question writes to standard output, where the letters go.
    typer.echo(f"{question} [y/N] ", nl=False, err=True)
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        _say("Nothing was dropped")
        raise typer.Exit(1)


def _opened(path: Path | None) -> AbstractContextManager[TextIO]:
    return nullcontext(sys.stdout) if path is None else path.open("a", encoding="utf-8")


def _write_line(file: TextIO, letter: DeadLetter) -> None:
    """Write a letter down so that it is there before anything else happens to it."""
    file.write(orjson.dumps(letter.as_json(), option=orjson.OPT_UTC_Z, default=str).decode() + "\n")
    file.flush()


def _description(letter: DeadLetter) -> str:
    shown = letter.as_json()
    deaths = "; ".join(
        f"{death.reason} by {death.queue}, {death.count} x, {_time(death.at)}" for death in letter.deaths
    )
    return "\n".join(
        (
            f"id        {letter.id}",
            f"type      {shown['type'] or 'unknown'}",
            f"event     {shown['event_id'] or 'not readable'}",
            f"company   {shown['company_id'] or 'unknown'}",
            f"time      {_time(shown['time'])}",
            f"returned  {deaths or letter.reason}",
            f"retried   {letter.retries} x",
            f"body      {shown.get('body', shown.get('body_base64'))}",
            "",
        )
    )


def _time(value: datetime | None) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if value else ""


def _print_table(rows: Sequence[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _say(text: str) -> None:
    """To standard error: standard output is for what was asked."""
    typer.echo(text, err=True)
