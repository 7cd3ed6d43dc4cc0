"""The campaign context's outbox."""

from typing import Final

from shared.messaging.outbox import Outbox

outbox: Final = Outbox("/campaign-svc")
