"""The state of a subscription: whether it is sent events, keeps them, or gets none.

::

    active   --failing for a day-->        paused    events are kept for it
    active   --410 Gone-->                 disabled  events pass it by; what it had already waits
    any      --switched off-->             disabled
    paused   --resumed-->                  active    what was kept is sent, oldest first
    disabled --switched on-->              active    likewise
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

State = Literal["active", "paused", "disabled"]
Reason = Literal["failing", "gone", "switched_off"]

PAUSED_AFTER: Final = timedelta(days=1)
"""How long every attempt at a subscription must fail before it is paused: as long as one delivery is tried."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A state, and why it is not active."""

    state: State
    reason: Reason | None = None


ACTIVE: Final = Standing("active")
SWITCHED_OFF: Final = Standing("disabled", "switched_off")
GONE: Final = Standing("disabled", "gone")
FAILING: Final = Standing("paused", "failing")


def told_to_be(active: bool, now: Standing) -> Standing:
    """What a subscription becomes that its company wants to be active, or not.

    One that is paused stays so: only a resumption says that its endpoint is well again.
    """
    if not active:
        return now if now.state == "disabled" else SWITCHED_OFF
    return ACTIVE if now.state == "disabled" else now
