"""The interface of the two ways to run a stack: as local processes and by Docker Compose."""

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
        """Rebuild totals and reports from the history of events while the product runs."""

    def events(self, arguments: Sequence[str]) -> None:
        """Print events of the running stack; this process becomes that program."""

    def dead_letters(self, arguments: Sequence[str]) -> None:
        """List, print, retry or drop the running stack's dead letters; this process becomes that program."""

    def subscriber(self, name: str) -> str:
        """Create the broker account of a subscriber, or set a new password; returns its AMQP URL."""

    def clean(self) -> None:
        """Stop it and delete what can be made again."""

    @property
    def gateway_url(self) -> str:
        """Where the API is while it is up."""

    @property
    def jwt_secret(self) -> str:
        """The key of its tokens."""
