"""HTTP to checked addresses alone: what was looked up and checked is what is connected to."""

import ipaddress
import ssl
from collections.abc import Sequence
from typing import Final

import httpx

from services.webhook_svc.destinations import Destinations
from services.webhook_svc.sending.dns import Resolve, resolve

MOST_ADDRESSES: Final = 3
"""Of one name, tried one after the other while none can be connected to."""


class DestinationRefused(Exception):
    """A URL leads to where no messages are sent."""


class PinnedTransport(httpx.AsyncBaseTransport):
    """Looks a host up, refuses it unless every address is permitted, and connects to just those addresses.

    The name is not looked up again by whatever connects: a name server could answer differently then ("rebinding"). The
    certificate is still the name's, and so is the ``Host`` header. Proxies of the environment are passed by, because
    they would do the looking up.

    Parameters
    ----------
    destinations
        Which addresses are permitted.
    resolve
        Looks a name up.
    ssl_context
        Which certificates are trusted; by default those of certifi, or of ``SSL_CERT_FILE``.
    """

    def __init__(
        self, destinations: Destinations, *, resolve: Resolve = resolve, ssl_context: ssl.SSLContext | None = None
    ) -> None:
        self._destinations = destinations
        self._resolve = resolve
        # No connection is kept: it would belong to an address, and serve another name that has the same one with a
        # certificate that was checked for the first.
        self._transport = httpx.AsyncHTTPTransport(
            verify=ssl_context or httpx.create_ssl_context(), limits=httpx.Limits(max_keepalive_connections=0)
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request.

        Raises
        ------
        DestinationRefused
            If the URL is not one that messages are sent to.
        httpx.TransportError
            If the host cannot be found or reached, or does not answer.
        """
        objection = self._destinations.objection(str(request.url))
        if objection is not None:
            raise DestinationRefused(f"The URL {objection}")
        addresses = await self._addresses(request.url)
        for address in addresses[:-1]:
            try:
                return await self._transport.handle_async_request(_pinned(request, address))
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue  # nothing was sent
        return await self._transport.handle_async_request(_pinned(request, addresses[-1]))

    async def aclose(self) -> None:
        """Close what is open."""
        await self._transport.aclose()

    async def _addresses(self, url: httpx.URL) -> Sequence[str]:
        host = url.raw_host.decode("ascii")
        try:
            addresses = await self._resolve(host, url.port or (443 if url.scheme == "https" else 80))
        except OSError as error:
            raise httpx.ConnectError("The host cannot be found") from error
        if not addresses:
            raise httpx.ConnectError("The host cannot be found")
        # All of them: which one is connected to must not be up to whoever answers for the name.
        if not all(self._destinations.permits(ipaddress.ip_address(address)) for address in addresses):
            raise DestinationRefused("The host has an address that is not public")
        return addresses[:MOST_ADDRESSES]


def _pinned(request: httpx.Request, address: str) -> httpx.Request:
    """The request, to be sent to an address; ``Host`` stands in its headers already."""
    return httpx.Request(
        request.method,
        request.url.copy_with(host=address),
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": request.url.raw_host.decode("ascii")},
    )
