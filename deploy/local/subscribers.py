"""Accounts of programs that subscribe to events: what each may do on the broker, and what the broker does for it.

RabbitMQ checks names against three expressions: declaring or deleting needs *configure*; publishing to an exchange and
binding a queue need *write*, on the exchange and on the queue; consuming, and binding to an exchange, need *read*.
"""

import re
from dataclasses import dataclass

from deploy.local.errors import StackError

NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")
RESERVED = frozenset({"amq", "analytics", "campaign", "guest", "import", "lead", "member", "voice", "webhook"})
"""First words of the product's own queues and exchanges, and accounts that are there already."""
DELIVERY_LIMIT = 5
QUEUE_BYTES = 1_000_000_000
"""The product's broker is not filled by a program that is away: its oldest events go then, and are in the history."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What the broker applies to the queues of one subscriber, whatever they were declared with."""

    name: str
    pattern: str
    definition: dict[str, str | int]


@dataclass(frozen=True, slots=True)
class Subscriber:
    """An account: it declares, binds and reads the queues whose names begin with its own and a dot, and no other.

    Raises
    ------
    StackError
        If an account cannot have this name.
    """

    name: str

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            msg = (
                f"NAME is {self.name!r}; it must be a lower-case letter and up to 30 lower-case letters, digits and "
                "hyphens, such as crm"
            )
            raise StackError(msg)
        if self.name in RESERVED:
            msg = f"NAME is {self.name!r}, which the product uses itself; take another, such as {self.name}-reader"
            raise StackError(msg)

    @property
    def configure(self) -> str:
        """What it may declare and delete."""
        return rf"^{self.name}\."

    @property
    def write(self) -> str:
        """What it may bind queues of its own to events with; no exchange of the product, so that it cannot publish."""
        return rf"^{self.name}\."

    @property
    def read(self) -> str:
        """What it may consume and bind to: its own queues, the events and their history."""
        return rf"^({self.name}\..*|voice\.events|voice\.events\.history)$"

    @property
    def policies(self) -> tuple[Policy, ...]:
        """Limits of its queues, and where what they give up on goes.

        It is a policy because an account that may name a dead-letter exchange itself may also publish to it.
        """
        limits: dict[str, str | int] = {"max-length-bytes": QUEUE_BYTES, "overflow": "drop-head"}
        dead: dict[str, str | int] = {
            "dead-letter-exchange": "",
            "dead-letter-routing-key": f"{self.name}.dead",
            "delivery-limit": DELIVERY_LIMIT,
        }
        return (
            Policy(f"subscriber-{self.name}", rf"^{self.name}\.(?!dead$)", limits | dead),
            Policy(f"subscriber-{self.name}-dead", rf"^{self.name}\.dead$", limits),
        )
