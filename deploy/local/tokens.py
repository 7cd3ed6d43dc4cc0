"""Access tokens for a stack whose key is known."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import jwt

VALID_HOURS = 24


def make_token(secret: str, companies: Sequence[int], *, role: str = "user", subject: str = "local") -> str:
    """An HS256 token for these companies, good for 24 hours from now."""
    now = datetime.now(UTC)
    claims = {
        "sub": subject,
        "companies": list(companies),
        "role": role,
        "iat": now,
        "exp": now + timedelta(hours=VALID_HOURS),
    }
    return jwt.encode(claims, secret, algorithm="HS256")
