"""Secrets and signatures of messages, as Standard Webhooks has them.

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
"""Of the 24 to 64 that the specification allows."""


def new_secret() -> str:
    """A secret that nobody has yet."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()


def signed_headers(keys: Iterable[str], message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The headers by which a receiver knows a message for ours.

    Parameters
    ----------
    keys
        Secrets that are valid now; the message is signed with each, so that a receiver may know either.
    message_id
        The same for every attempt, so that a receiver may know a message it has had.
    at
        When this attempt is made: receivers refuse what is too old.
    """
    timestamp = str(int(at.timestamp()))
    content = b".".join((message_id.encode(), timestamp.encode(), body))
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(_signature(key, content) for key in keys),
    }


def _signature(key: str, content: bytes) -> str:
    digest = hmac.digest(base64.b64decode(key.removeprefix(_PREFIX)), content, hashlib.sha256)
    return f"v1,{base64.b64encode(digest).decode()}"
