"""Errors of a stack, each with a message for the person at the terminal."""

from pathlib import Path

from deploy.local import ports

LOG_TAIL_LINES = 25


class StackError(Exception):
    """The stack cannot run the command; the text gives the reason and the remedy."""


class ServersMissing(StackError):
    """Server programs are not installed and could not be installed."""


class AlreadyRunning(StackError):
    """Another process has locked the state directory."""


class PortTaken(StackError):
    """The gateway's port belongs to another program."""

    def __init__(self, port: int) -> None:
        super().__init__(
            f"Port {port} on {ports.LOOPBACK} is already used by {ports.holder(port)}. "
            "Set GATEWAY_PORT to a free one, for example: GATEWAY_PORT=8090 make up"
        )


class NotReady(StackError):
    """A process ended, or did not become ready in time.

    Attributes
    ----------
    name : str
        The process.
    log : Path
        Where its output went.
    """

    def __init__(self, name: str, reason: str, log: Path) -> None:
        super().__init__(f"{name} {reason}")
        self.name = name
        self.log = log

    def log_tail(self) -> str:
        """The last lines the process wrote."""
        return tail(self.log, LOG_TAIL_LINES)


def tail(path: Path, lines: int) -> str:
    """The last `lines` lines of a text file; an empty text when there is no file."""
    if not path.exists():
        return ""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 1000 * lines))
        text = file.read().decode(errors="replace")
    return "\n".join(text.splitlines()[-lines:])
