"""The contract's response to an import that is rejected."""

import httpx

GOOD_FILE = b"phone\n+14155550100\n"


def rejected(response: httpx.Response, error: str) -> None:
    """Check that this is the response to an import that failed with ``error``."""
    body = response.json()
    assert (response.status_code, body["message"], body["error"]) == (400, "Error importing leads", error)
    assert set(body) <= {"message", "error", "errors"}
