"""Secrets and signatures of messages, by Standard Webhooks.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Final

_PREFIX: Final = "whsec_"
_KEY_BYTES: Final = 32
"""The specification allows 24 to 64 bytes."""


def new_secret() -> str:
    """Return a new random secret: ``whsec_`` and the key in base64."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()


def signed_headers(keys: Iterable[str], message_id: str, sent_at: datetime, body: bytes) -> dict[str, str]:
    """Return the headers that prove to a receiver that this system sent a message.

    Parameters
    ----------
    keys
        Secrets that are valid now. There is one signature for each, so that a receiver may verify with either.
    message_id
        The same in every attempt, so that a receiver can drop a message that it has processed.
    sent_at
        Start of this attempt; receivers reject old timestamps.
    """
    timestamp = str(int(sent_at.timestamp()))
    content = b".".join((message_id.encode(), timestamp.encode(), body))
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(_signature(key, content) for key in keys),
    }


def _signature(key: str, content: bytes) -> str:
    digest = hmac.digest(base64.b64decode(key.removeprefix(_PREFIX)), content, hashlib.sha256)
    return f"v1,{base64.b64encode(digest).decode()}"
