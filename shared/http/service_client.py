"""Another service of the system, asked over HTTP in the name of a caller."""

import asyncio
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx


async def load_httpx() -> None:
    """Load what asks others over HTTP: a process that asks nobody does not hold it.

    In a thread, as that takes longer than other requests should wait.
    """
    await asyncio.to_thread(import_module, "httpx")


class ServiceClientError(Exception):
    """The service did not answer, or not with success."""


class ServiceClient:
    """A service of the system.

    Parameters
    ----------
    url
        Its base address.
    seconds
        Longest wait for it: to connect, and for each part of its answer.
    """

    def __init__(self, url: str, *, seconds: float) -> None:
        self._url = url
        self._seconds = seconds
        self._client: httpx.AsyncClient | None = None

    async def get(self, path: str, token: str) -> bytes | None:
        """The body of what it answers to the caller with this token; None when there is no such thing (404).

        Raises
        ------
        PeerUnavailable
            If it does not answer, or with any other error.
        """
        client = self._client or await self._connect()
        import httpx

        try:
            response = await client.get(path, headers={"Authorization": f"Bearer {token}"})
            if response.status_code == httpx.codes.NOT_FOUND:
                return None
            return response.raise_for_status().content
        except httpx.HTTPError as error:
            raise ServiceClientError(repr(error)) from error

    async def _connect(self) -> "httpx.AsyncClient":
        await load_httpx()
        import httpx

        if self._client is None:  # another request may have been first, meanwhile
            # Peers are reached directly, whatever proxy leads outside.
            self._client = httpx.AsyncClient(base_url=self._url, timeout=self._seconds, trust_env=False)
        return self._client

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
