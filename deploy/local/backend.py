"""The two ways a stack is run, seen alike by the command line."""

from collections.abc import Sequence
from typing import Protocol


class Backend(Protocol):
    """A stack that can be brought up and down, by Docker or without it."""

    def up(self) -> None:
        """Bring it up and wait until every process is ready; harmless when it is up."""

    def down(self) -> None:
        """Stop it; its data stays."""

    def status(self) -> bool:
        """Print what each process does; whether all are well."""

    def logs(self, names: Sequence[str], *, follow: bool) -> None:
        """Print the end of the processes' output (of all when no name is given), and what they write from now on."""

    def rebuild(self) -> None:
        """Build totals and reports anew from the history of events, while everything goes on."""

    def events(self, arguments: Sequence[str]) -> None:
        """Show events of the running stack; ends this process when they end."""

    def dead_letters(self, arguments: Sequence[str]) -> None:
        """Look after the running stack's dead letters; ends this process when that is done."""

    def subscriber(self, name: str) -> str:
        """Make the broker account of a program that subscribes to events, or give it a new password; its AMQP URL."""

    def clean(self) -> None:
        """Stop it and delete what can be made again."""

    @property
    def gateway_url(self) -> str:
        """Where the API is while it is up."""

    @property
    def jwt_secret(self) -> str:
        """The key of its tokens."""
