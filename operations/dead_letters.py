"""``python -m operations dlq list|show|retry|drop``: the dead letters of the product's queues."""

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

from operations.queues import queue_names
from shared.messaging import dead_letters
from shared.messaging.dead_letters import DeadLetter, NoSuchQueueError, RetryError, Summary

T = TypeVar("T")

DEFAULT_LIMIT = 20
NOT_READ = "(not read: use `show`)"
LIMITED = (
    "This queue was declared without an unlimited delivery limit: RabbitMQ 4 drops a message that was read 20 times,"
    " unless a policy lifts the limit (docs/operations.md, Dead letters)"
)

cli = typer.Typer(help="Dead letters: messages that queues rejected.", no_args_is_help=True)

QueueName = Annotated[str, typer.Argument(help="The queue that rejected them, as `list` names it.")]
OneId = Annotated[str | None, typer.Option("--id", help="Only the message with this id.")]
All = Annotated[bool, typer.Option("--all", help="All of the queue's dead letters.")]


@cli.command("list")
def list_() -> None:
    """List the dead letters of every queue: their number, the time and reason of the first."""

    async def summaries(connection: AbstractConnection) -> list[Summary | str]:
        return [await _summary(connection, queue) for queue in queue_names()]

    rows = [("queue", "dead letters", "oldest", "first reason")]
    for summary in _on_broker(summaries):
        if isinstance(summary, str):
            rows.append((summary, "not declared", "", ""))
            continue
        first = summary.first
        since = first.deaths[0].at if first and first.deaths else None
        reason = NOT_READ if summary.is_limited else first.reason if first else ""
        rows.append((summary.queue, str(summary.count), _time(since), reason))
    _print_table(rows)


@cli.command()
def show(
    queue: QueueName,
    one: OneId = None,
    limit: Annotated[int, typer.Option(min=1, help="Maximum number, from the oldest.")] = DEFAULT_LIMIT,
    *,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Print dead letters with their details; they remain in the queue."""
    queue = dead_letters.source_of(queue)

    async def read(connection: AbstractConnection) -> list[DeadLetter]:
        if await dead_letters.is_limited(connection, queue):
            _print_status(LIMITED)
        return await dead_letters.read(connection, queue, only=one, limit=limit)

    letters = _on_broker(read)
    if json:
        for letter in letters:
            _write_line(sys.stdout, letter)
    else:
        for letter in letters:
            typer.echo(_description(letter))
    if not letters:
        _print_status(f"No dead letter of {queue}" + (f" has the id {one}" if one else ""))
        raise typer.Exit(1 if one else 0)


@cli.command()
def retry(queue: QueueName, one: OneId = None, *, everything: All = False) -> None:
    """Return dead letters to their queue, once the cause is fixed."""
    _require_choice(one, everything=everything)
    queue = dead_letters.source_of(queue)
    done = _on_broker(lambda connection: dead_letters.retry(connection, queue, only=one))
    _print_status(f"Returned to {queue}: {done}")
    raise typer.Exit(0 if done or everything else 1)


@cli.command()
def drop(
    queue: QueueName,
    one: OneId = None,
    to: Annotated[Path | None, typer.Option(help="File to append them to; otherwise standard output.")] = None,
    *,
    everything: All = False,
    yes: Annotated[bool, typer.Option("--yes", help="Skip the confirmation.")] = False,
) -> None:
    """Delete dead letters permanently, after writing each as a line of JSON."""
    _require_choice(one, everything=everything)
    queue = dead_letters.source_of(queue)
    if not yes:
        _confirm(f"Drop {f'the dead letter {one}' if one else 'all dead letters'} of {queue}?")
    with _opened(to) as file:
        done = _on_broker(
            lambda connection: dead_letters.drop(connection, queue, lambda letter: _write_line(file, letter), only=one)
        )
    _print_status(f"Dropped from {queue}: {done}")
    raise typer.Exit(0 if done or everything else 1)


def _on_broker(command: Callable[[AbstractConnection], Awaitable[T]]) -> T:
    """Execute a command on the broker of AMQP_URL; an error of the broker ends the process with a line."""
    url = os.environ.get("AMQP_URL")
    if not url:
        _print_status("AMQP_URL: Field required")
        raise typer.Exit(2)

    async def connected() -> T:
        async with await aio_pika.connect(url, timeout=5) as connection:
            return await command(connection)

    try:
        return asyncio.run(connected())
    except NoSuchQueueError as error:
        _print_status(f"There is no queue {error}; the queues are: {', '.join(queue_names())}")
    except RetryError as error:
        _print_status(f"The queue did not accept a message, which is therefore still a dead letter: {error}")
    except (OSError, AMQPException) as error:
        _print_status(f"The broker cannot be reached: {error!r}")
    raise typer.Exit(1)


async def _summary(connection: AbstractConnection, queue: str) -> Summary | str:
    try:
        return await dead_letters.summarise(connection, queue)
    except NoSuchQueueError:
        return queue


def _require_choice(one: str | None, *, everything: bool) -> None:
    if (one is None) is not everything:
        raise typer.BadParameter("pass either --id ID or --all")


def _confirm(question: str) -> None:
    # typer's own prompt writes to standard output, where the messages go.
    typer.echo(f"{question} [y/N] ", nl=False, err=True)
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        _print_status("Nothing was dropped")
        raise typer.Exit(1)


def _opened(path: Path | None) -> AbstractContextManager[TextIO]:
    return nullcontext(sys.stdout) if path is None else path.open("a", encoding="utf-8")


def _write_line(file: TextIO, letter: DeadLetter) -> None:
    """Write a message, flushed before it is deleted."""
    file.write(orjson.dumps(letter.as_json(), option=orjson.OPT_UTC_Z, default=str).decode() + "\n")
    file.flush()


def _description(letter: DeadLetter) -> str:
    fields = letter.as_json()
    deaths = "; ".join(
        f"{death.reason} by {death.queue}, {death.count} x, {_time(death.at)}" for death in letter.deaths
    )
    return "\n".join(
        (
            f"id        {letter.id}",
            f"type      {fields['type'] or 'unknown'}",
            f"event     {fields['event_id'] or 'not readable'}",
            f"company   {fields['company_id'] or 'unknown'}",
            f"time      {_time(fields['time'])}",
            f"reason    {deaths or letter.reason}",
            f"retried   {letter.retries} x",
            f"body      {fields.get('body', fields.get('body_base64'))}",
            "",
        )
    )


def _time(value: datetime | None) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if value else ""


def _print_table(rows: Sequence[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _print_status(text: str) -> None:
    """Print to standard error: standard output is for the messages."""
    typer.echo(text, err=True)
