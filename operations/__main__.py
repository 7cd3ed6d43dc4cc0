"""``python -m operations dlq|events``: an operator's tools, on the broker that AMQP_URL names."""

import typer

from operations import dead_letters
from operations.events import events

cli = typer.Typer(help="Tools for messages, on the broker that AMQP_URL names.", no_args_is_help=True)
cli.add_typer(dead_letters.cli, name="dlq")
cli.command("events")(events)

if __name__ == "__main__":
    cli()
