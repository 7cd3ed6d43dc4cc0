"""The connection of a worker to the broker."""

from typing import Final

import aio_pika
from aio_pika.abc import AbstractConnection

CONNECT_SECONDS: Final = 5.0
HEARTBEAT_SECONDS: Final = 20
"""A process that has vanished silently loses its messages to another after two of these; one whose broker falls
silent reconnects after three. Long enough for a process that is busy, or starved."""


async def connect(amqp_url: str) -> AbstractConnection:
    """Connect to the broker; the caller notices when the connection breaks."""
    return await aio_pika.connect(amqp_url, timeout=CONNECT_SECONDS, heartbeat=HEARTBEAT_SECONDS)
