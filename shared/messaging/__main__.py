"""``python -m shared.messaging``: tools for whoever runs the system, on the broker that AMQP_URL names."""

import typer

from shared.messaging import dead_letter_commands, tail_command

cli = typer.Typer(help="Looks after messages; AMQP_URL says on which broker.", no_args_is_help=True)
cli.add_typer(dead_letter_commands.cli, name="dlq")
cli.command("events")(tail_command.events)

if __name__ == "__main__":
    cli()
