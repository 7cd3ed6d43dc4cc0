"""Client of another service of the system: requests over HTTP in the name of a caller."""

from typing import TYPE_CHECKING

from shared.process import load_lazily

if TYPE_CHECKING:
    import httpx


class ServiceClientError(Exception):
    """The service did not answer, or not with a success."""


class ServiceClient:
    """Requests resources from one service.

    Parameters
    ----------
    url
        Its base address.
    seconds
        Timeout, to connect and for each part of the response.
    """

    def __init__(self, url: str, *, seconds: float) -> None:
        self._url = url
        self._seconds = seconds
        self._client: httpx.AsyncClient | None = None

    async def get(self, path: str, token: str) -> bytes | None:
        """Return the body of the response to the caller with this token; None when it is 404.

        Raises
        ------
        ServiceClientError
            If the service does not answer, or with any other error.
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
        await load_lazily("httpx")
        import httpx

        if self._client is None:  # another request may have made it meanwhile
            # Services are reached directly, whatever proxy leads outside.
            self._client = httpx.AsyncClient(base_url=self._url, timeout=self._seconds, trust_env=False)
        return self._client

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
