"""How the contract refuses an import."""

import httpx

GOOD_FILE = b"phone\n+14155550100\n"


def refused(response: httpx.Response, error: str) -> None:
    """Check that this is the answer to an import that failed with ``error``."""
    body = response.json()
    assert (response.status_code, body["message"], body["error"]) == (400, "Error importing leads", error)
    assert set(body) <= {"message", "error", "errors"}
