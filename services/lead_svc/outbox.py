"""The lead context's outbox."""

from typing import Final

from shared.messaging.outbox import Outbox

outbox: Final = Outbox("/lead-svc")
