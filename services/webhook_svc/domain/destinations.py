"""Allowed destinations of messages: the public internet, and networks that the operator names.

A subscription's URL decides where this system sends requests. Without these rules a caller could reach everything that
this system's machines reach (server-side request forgery): databases, the cloud's metadata, administration pages.
"""

import ipaddress
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final

import httpx

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

MAX_URL_LENGTH: Final = 2_048

_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
"""Everything that is assigned to anyone; mapped, translated, local and multicast addresses lie outside."""
_NOT_PUBLIC: Final[dict[Network, str]] = {
    IPv4Network("0.0.0.0/8"): "this network",
    IPv4Network("10.0.0.0/8"): "private",
    IPv4Network("100.64.0.0/10"): "carrier-grade NAT",
    IPv4Network("127.0.0.0/8"): "loopback",
    IPv4Network("169.254.0.0/16"): "link-local, metadata of clouds",
    IPv4Network("172.16.0.0/12"): "private",
    IPv4Network("192.0.0.0/24"): "IETF protocol assignments",
    IPv4Network("192.0.2.0/24"): "documentation",
    IPv4Network("192.88.99.0/24"): "6to4 relays",
    IPv4Network("192.168.0.0/16"): "private",
    IPv4Network("198.18.0.0/15"): "benchmarking",
    IPv4Network("198.51.100.0/24"): "documentation",
    IPv4Network("203.0.113.0/24"): "documentation",
    IPv4Network("224.0.0.0/4"): "multicast",
    IPv4Network("240.0.0.0/4"): "reserved, broadcast",
    IPv4Network("168.63.129.16/32"): "the host, to a machine in Azure",
    IPv6Network("2001::/23"): "IETF protocol assignments, Teredo",
    IPv6Network("2001:db8::/32"): "documentation",
    IPv6Network("2002::/16"): "6to4, which contains an IPv4 address",
    IPv6Network("3fff::/20"): "documentation",
}
"""Networks that are not public, in addition to those of ``ipaddress``, whose tables differ between Python releases."""


@dataclass(frozen=True, slots=True)
class DestinationPolicy:
    """The rules of allowed destinations, as the operator configured them.

    Parameters
    ----------
    allow_http
        Whether a URL may be ``http``: anyone on the path can then read the messages.
    allowed_networks
        Networks that are allowed although they are not public.
    """

    allow_http: bool = False
    allowed_networks: tuple[Network, ...] = ()

    def permits(self, address: Address) -> bool:
        """Return whether messages may be sent to an address."""
        if any(address.version == network.version and address in network for network in self.allowed_networks):
            return True
        if not address.is_global or address.is_multicast or address.is_reserved:
            return False
        if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST:
            return False
        return not any(address.version == network.version and address in network for network in _NOT_PUBLIC)

    def url_error(self, url: str) -> str | None:
        """Return what is wrong with a URL, without resolving its host name; None if it is allowed.

        A name may resolve to another address tomorrow, so the addresses of names are checked at each attempt.
        """
        if len(url) > MAX_URL_LENGTH:
            return f"must have at most {MAX_URL_LENGTH} characters"
        try:
            parsed = httpx.URL(url)
        except httpx.InvalidURL:
            return "must be an absolute URL"
        allowed = ("https", "http") if self.allow_http else ("https",)
        if parsed.scheme not in allowed:
            return f"must begin with {' or '.join(f'{scheme}://' for scheme in allowed)}"
        if not parsed.host:
            return "must be an absolute URL"
        if parsed.userinfo:
            return "must not contain a user name or password"
        if parsed.fragment:
            return "must not contain a fragment"
        if parsed.port is not None and not 0 < parsed.port <= 65_535:
            return "must have a port from 1 to 65535"
        address = _address_of(parsed.host)
        if address is not None and not self.permits(address):
            return "must not lead to an address that is not public"
        return None


def _address_of(host: str) -> Address | None:
    """Return the address that a host is, however it is written; None for a name."""
    host = host.rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return IPv4Address("127.0.0.1")
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    try:
        # A resolver accepts these forms of an address too: 127.1, 2130706433, 0x7f.0.0.1.
        return IPv4Address(socket.inet_aton(host))
    except (OSError, ValueError):
        return None
