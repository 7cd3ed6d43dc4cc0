"""HTTP transport that connects only to addresses that it has checked (guard against server-side request forgery)."""

import ipaddress
import ssl
from collections.abc import Sequence
from typing import Final

import httpx

from services.webhook_svc.domain.destinations import DestinationPolicy
from services.webhook_svc.sending.dns import Resolve, resolve

MAX_ADDRESSES: Final = 3
"""Addresses of one name that are tried, one after the other, until one accepts a connection."""


class DestinationNotAllowedError(Exception):
    """The destination policy does not allow a URL."""


class PinnedTransport(httpx.AsyncBaseTransport):
    """Resolves a host, rejects it unless every address is allowed, and connects to one of those addresses.

    The name is not resolved a second time for the connection: a name server could then return another address ("DNS
    rebinding"). The certificate is still checked against the name, and the ``Host`` header has the name. Proxies of the
    environment are ignored, because they would resolve the name themselves.

    Parameters
    ----------
    destinations
        Which addresses are allowed.
    resolve
        Resolves a host name.
    ssl_context
        Which certificates are trusted; by default those of certifi, or of the file ``SSL_CERT_FILE``.
    """

    def __init__(
        self, destinations: DestinationPolicy, *, resolve: Resolve = resolve, ssl_context: ssl.SSLContext | None = None
    ) -> None:
        self._destinations = destinations
        self._resolve = resolve
        # No connection is reused: it belongs to an address, and would serve another name with the same address under
        # a certificate that was checked for the first name.
        self._transport = httpx.AsyncHTTPTransport(
            verify=ssl_context or httpx.create_ssl_context(), limits=httpx.Limits(max_keepalive_connections=0)
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request.

        Raises
        ------
        DestinationNotAllowedError
            If messages may not be sent to the URL, or to an address of its host.
        httpx.TransportError
            If the host cannot be found or reached, or does not respond.
        """
        error = self._destinations.url_error(str(request.url))
        if error is not None:
            raise DestinationNotAllowedError(f"The URL {error}")
        addresses = await self._addresses(request.url)
        for address in addresses[:-1]:
            try:
                return await self._transport.handle_async_request(_pinned(request, address))
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue  # nothing was sent
        return await self._transport.handle_async_request(_pinned(request, addresses[-1]))

    async def aclose(self) -> None:
        """Close open connections."""
        await self._transport.aclose()

    async def _addresses(self, url: httpx.URL) -> Sequence[str]:
        host = url.raw_host.decode("ascii")
        try:
            addresses = await self._resolve(host, url.port or (443 if url.scheme == "https" else 80))
        except OSError as error:
            raise httpx.ConnectError("The host cannot be found") from error
        if not addresses:
            raise httpx.ConnectError("The host cannot be found")
        # Every address is checked: the name server must not decide which of them is connected to.
        if not all(self._destinations.permits(ipaddress.ip_address(address)) for address in addresses):
            raise DestinationNotAllowedError("The host has an address that is not public")
        return addresses[:MAX_ADDRESSES]


def _pinned(request: httpx.Request, address: str) -> httpx.Request:
    """Return the request with an address as its host; its headers contain ``Host`` already."""
    return httpx.Request(
        request.method,
        request.url.copy_with(host=address),
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": request.url.raw_host.decode("ascii")},
    )
