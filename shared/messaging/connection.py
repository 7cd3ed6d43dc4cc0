"""The connection that work stands on for as long as it lives."""

from typing import Final

import aio_pika
from aio_pika.abc import AbstractConnection

CONNECT_SECONDS: Final = 5.0
HEARTBEAT_SECONDS: Final = 20
"""A process that has vanished without a word loses its messages to another after two of these; one that the broker does
not answer any more looks for it anew after three. Long enough for a process that is busy, or starved."""


async def connect(amqp_url: str) -> AbstractConnection:
    """Connect to the broker; what breaks the connection is for the caller to notice."""
    return await aio_pika.connect(amqp_url, timeout=CONNECT_SECONDS, heartbeat=HEARTBEAT_SECONDS)
