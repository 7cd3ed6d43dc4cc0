"""Allowed destinations: the public internet, and what the operator allows in addition."""

import ipaddress
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.webhook_svc.domain.destinations import MAX_URL_LENGTH, DestinationPolicy

PUBLIC = ["8.8.8.8", "93.184.216.34", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:2800:220:1::1", "2a00:1450:4001::1"]
NOT_PUBLIC = {
    "this host": "0.0.0.0",
    "this network": "0.1.2.3",
    "private, class A": "10.0.0.1",
    "private, class B": "172.16.0.1",
    "the end of it": "172.31.255.255",
    "private, class C": "192.168.1.1",
    "carrier-grade NAT": "100.64.0.1",
    "the end of that": "100.127.255.255",
    "loopback": "127.0.0.1",
    "loopback too": "127.255.255.254",
    "link-local": "169.254.1.1",
    "metadata of AWS, Google and Azure": "169.254.169.254",
    "metadata of AWS's containers": "169.254.170.2",
    "metadata of Alibaba": "100.100.100.200",
    "metadata of Oracle": "192.0.0.192",
    "the host of a machine in Azure": "168.63.129.16",
    "IETF protocol assignments": "192.0.0.9",
    "documentation": "192.0.2.1",
    "documentation, second": "198.51.100.1",
    "documentation, third": "203.0.113.1",
    "relays of 6to4": "192.88.99.1",
    "benchmarking": "198.18.0.1",
    "multicast": "224.0.0.1",
    "multicast, local scope": "239.255.255.250",
    "reserved": "240.0.0.1",
    "broadcast": "255.255.255.255",
    "IPv6 unspecified": "::",
    "IPv6 loopback": "::1",
    "IPv4-mapped loopback": "::ffff:127.0.0.1",
    "IPv4-mapped public": "::ffff:8.8.8.8",
    "IPv4-compatible": "::127.0.0.1",
    "NAT64": "64:ff9b::7f00:1",
    "NAT64, local": "64:ff9b:1::7f00:1",
    "discard": "100::1",
    "Teredo": "2001:0:7f00:1::1",
    "IPv6 benchmarking": "2001:2::1",
    "IPv6 documentation": "2001:db8::1",
    "IPv6 documentation, second": "3fff::1",
    "6to4 of loopback": "2002:7f00:1::1",
    "unique local": "fd00::1",
    "metadata of AWS, IPv6": "fd00:ec2::254",
    "IPv6 link-local": "fe80::1",
    "IPv6 link-local with a zone": "fe80::1%eth0",
    "site-local": "fec0::1",
    "IPv6 multicast": "ff02::1",
    "not assigned": "4000::1",
}
DEFAULT_POLICY = DestinationPolicy()


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_permitted(address: str) -> None:
    assert DEFAULT_POLICY.permits(ip_address(address))


@pytest.mark.parametrize("address", NOT_PUBLIC.values(), ids=NOT_PUBLIC)
def test_an_address_that_is_not_public_is_rejected(address: str) -> None:
    assert not DEFAULT_POLICY.permits(ip_address(address))


@given(st.ip_addresses(v=4))
def test_no_special_address_of_python_is_permitted(address: ipaddress.IPv4Address) -> None:
    special = (
        address.is_private
        or address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_reserved
        or address.is_unspecified
    )
    assert not (special and DEFAULT_POLICY.permits(address))


@given(st.ip_addresses(v=4))
def test_no_address_is_permitted_in_an_ipv6_wrapping(address: ipaddress.IPv4Address) -> None:
    number = int(address)
    for wrapped in (number, 0xFFFF << 32 | number, 0x64FF9B << 96 | number, 0x2002 << 112 | number << 80):
        assert not DEFAULT_POLICY.permits(ipaddress.IPv6Address(wrapped))


def test_only_networks_of_the_operator_are_permitted_in_addition() -> None:
    destinations = DestinationPolicy(allowed_networks=(ip_network("10.1.0.0/16"), ip_network("fd00::/8")))
    for allowed in ("10.1.2.3", "fd12::1", "8.8.8.8"):
        assert destinations.permits(ip_address(allowed))
    for rejected in ("10.2.0.1", "127.0.0.1", "::ffff:10.1.2.3", "fe80::1"):
        assert not destinations.permits(ip_address(rejected))


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "https://example.com/hook?tenant=7",
        "https://example.com:8443/hook",
        "https://8.8.8.8/hook",
        "https://[2606:2800:220:1::1]/hook",
        "https://bücher.example/hook",
        "HTTPS://EXAMPLE.COM/",
    ],
)
def test_a_url_on_the_internet_is_accepted(url: str) -> None:
    assert DEFAULT_POLICY.url_error(url) is None


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("http://example.com/hook", "must begin with https://"),
        ("ftp://example.com/hook", "must begin with https://"),
        ("example.com/hook", "must begin with https://"),
        ("//example.com/hook", "must begin with https://"),
        ("", "must begin with https://"),
        ("https://", "must be an absolute URL"),
        ("https:///hook", "must be an absolute URL"),
        ("https://exa\nmple.com/", "must be an absolute URL"),
        ("https://[::1/", "must be an absolute URL"),
        ("https://user@example.com/", "must not contain a user name or password"),
        ("https://user:word@example.com/", "must not contain a user name or password"),
        ("https://example.com/#part", "must not contain a fragment"),
        ("https://example.com:0/", "must have a port from 1 to 65535"),
        ("https://example.com:65536/", "must have a port from 1 to 65535"),
        ("https://example.com/" + "a" * MAX_URL_LENGTH, f"must have at most {MAX_URL_LENGTH} characters"),
    ],
)
def test_an_invalid_url_is_rejected(url: str, error: str) -> None:
    assert DEFAULT_POLICY.url_error(url) == error


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.0.0.1.",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "0",
        "localhost",
        "LOCALHOST.",
        "any.localhost",
        "169.254.169.254",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[fe80::1%25eth0]",
    ],
)
def test_a_url_with_an_address_that_is_not_public_is_rejected_however_it_is_written(host: str) -> None:
    assert DEFAULT_POLICY.url_error(f"https://{host}/") is not None


def test_http_is_accepted_where_the_operator_allows_it() -> None:
    destinations = DestinationPolicy(allow_http=True)
    assert destinations.url_error("http://example.com/") is None
    assert destinations.url_error("http://127.0.0.1/") == "must not lead to an address that is not public"
    assert destinations.url_error("ftp://example.com/") == "must begin with https:// or http://"
