"""Transport of messages: only checked addresses, no redirects, and a deadline for everything."""

import asyncio
import ssl
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from fastapi import Response
from starlette.responses import StreamingResponse

from services.webhook_svc.domain.destinations import DestinationPolicy
from services.webhook_svc.domain.signatures import new_secret
from services.webhook_svc.sending.attempt import Message, Outcome
from services.webhook_svc.sending.dns import resolve
from services.webhook_svc.sending.sender import RESPONSE_READ_SECONDS, Sender
from services.webhook_svc.sending.transport import PinnedTransport
from tests.fixtures.waiting import eventually
from tests.fixtures.webhooks import LOOPBACK_POLICY, Receiver

EVENT = UUID("8e03978e-40d5-43dd-bc93-6894a57f9324")
NAME = "hooks.example"
NOT_PUBLIC = "The host has an address that is not public"


@dataclass
class NameServer:
    """A name server with configured results: each is returned once, the last one for ever."""

    results: list[Sequence[str]]
    resolved: list[str] = field(default_factory=list)

    async def resolve(self, host: str, _port: int) -> Sequence[str]:
        self.resolved.append(host)
        return self.results.pop(0) if len(self.results) > 1 else self.results[0]


def message(url: str, body: bytes = b"{}") -> Message:
    return Message(url, (new_secret(),), EVENT, body)


async def send(
    url: str, transport: PinnedTransport | None = None, *, attempt_seconds: float = 5, body: bytes = b"{}"
) -> Outcome:
    sender = Sender(transport or PinnedTransport(LOOPBACK_POLICY), attempt_seconds=attempt_seconds)
    try:
        return await sender.send(message(url, body))
    finally:
        await sender.close()


def named(receiver: Receiver, name: str = NAME) -> str:
    """Return the receiver's URL with a name instead of its address."""
    return receiver.url.replace("127.0.0.1", name)


async def test_a_name_is_resolved_once_and_that_address_connected_to(receiver: Receiver) -> None:
    """A name server cannot return another address for the connection ("DNS rebinding")."""
    names = NameServer([["127.0.0.1"], ["192.168.0.1"]])
    outcome = await send(named(receiver), PinnedTransport(LOOPBACK_POLICY, resolve=names.resolve))
    assert outcome.succeeded, outcome
    assert names.resolved == [NAME]
    [request] = receiver.requests
    assert request.headers["host"] == named(receiver).split("/")[2]


async def test_a_name_is_resolved_and_checked_at_each_attempt(receiver: Receiver) -> None:
    names = NameServer([["127.0.0.1"], ["10.0.0.1"]])
    transport = PinnedTransport(LOOPBACK_POLICY, resolve=names.resolve)
    sender = Sender(transport, attempt_seconds=5)
    assert (await sender.send(message(named(receiver)))).succeeded
    assert (await sender.send(message(named(receiver)))).error == NOT_PUBLIC
    await sender.close()
    assert len(receiver.requests) == 1


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["::1"], ["::ffff:127.0.0.1"]])
async def test_a_name_with_an_address_that_is_not_public_is_rejected(
    receiver: Receiver, addresses: Sequence[str]
) -> None:
    transport = PinnedTransport(DestinationPolicy(allow_http=True), resolve=NameServer([addresses]).resolve)
    outcome = await send(named(receiver), transport)
    assert (outcome.error, outcome.http_status) == (NOT_PUBLIC, None)
    assert receiver.requests == []


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.1", "2130706433", "0x7f.1", "localhost", "[::1]", "[::ffff:7f00:1]"]
)
async def test_an_address_that_is_not_public_is_rejected_at_the_attempt(receiver: Receiver, host: str) -> None:
    outcome = await send(named(receiver, host), PinnedTransport(DestinationPolicy(allow_http=True)))
    assert "not public" in str(outcome.error)
    assert receiver.requests == []


@pytest.mark.parametrize(
    "url", ["http://{}/hook", "https://user@{}/hook", "ftp://{}/hook", "https://{}/hook#part", "https://"]
)
async def test_a_stored_url_that_is_no_longer_allowed_is_rejected(url: str) -> None:
    """The operator may have changed the policy since the URL was stored."""
    here = DestinationPolicy(allowed_networks=LOOPBACK_POLICY.allowed_networks)
    outcome = await send(url.format("127.0.0.1:9"), PinnedTransport(here))
    assert str(outcome.error).startswith("The URL must")


async def test_an_unknown_name_is_a_failure() -> None:
    outcome = await send("http://unknown.invalid/", PinnedTransport(LOOPBACK_POLICY))
    assert outcome.error == "The host cannot be found"


async def test_an_invalid_name_is_a_failure() -> None:
    for host in ("a..b", "a" * 64 + ".example"):
        outcome = await send(f"http://{host}/", PinnedTransport(LOOPBACK_POLICY))
        assert outcome.error == "The host cannot be found", host


async def test_names_are_resolved_by_the_system() -> None:
    assert "127.0.0.1" in await resolve("localhost", 80)


async def test_proxies_of_the_environment_are_ignored(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert (await send(receiver.url)).succeeded


async def test_the_next_address_is_tried_when_one_cannot_be_connected_to(receiver: Receiver) -> None:
    transport = PinnedTransport(LOOPBACK_POLICY, resolve=NameServer([["127.0.0.9", "127.0.0.1"]]).resolve)
    assert (await send(named(receiver), transport)).succeeded
    assert len(receiver.requests) == 1


async def test_a_refused_connection_is_a_failure() -> None:
    outcome = await send("http://127.0.0.1:9/")
    assert (outcome.http_status, outcome.succeeded) == (None, False)
    assert outcome.error


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(receiver: Receiver, status: int) -> None:
    receiver.respond_next(status, headers={"Location": f"{receiver.url}/elsewhere"})
    outcome = await send(receiver.url)
    assert (outcome.http_status, outcome.error) == (status, f"Answered {status}; redirects are not followed")
    assert [request.path for request in receiver.requests] == ["/hook"]


async def test_an_attempt_without_a_response_ends_at_its_deadline(receiver: Receiver) -> None:
    never = asyncio.Event()

    async def silent() -> Response:
        await never.wait()
        return Response()

    receiver.default_responder = silent
    started = time.monotonic()
    outcome = await send(receiver.url, attempt_seconds=0.3)
    assert (outcome.http_status, outcome.error) == (None, "No answer within 0.3 s")
    assert time.monotonic() - started < 3
    never.set()


async def test_an_attempt_ends_at_its_deadline_when_the_name_server_does_not_respond() -> None:
    async def silent(_host: str, _port: int) -> Sequence[str]:
        await asyncio.Event().wait()
        return []

    transport = PinnedTransport(LOOPBACK_POLICY, resolve=silent)
    async with asyncio.timeout(5):
        outcome = await send("http://hooks.example/", transport, attempt_seconds=0.3)
    assert outcome.error == "No answer within 0.3 s"


async def test_an_attempt_with_a_trickling_response_ends_at_its_deadline() -> None:
    """Each byte arrives in time, but the headers never end."""

    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nX-More: ")
        try:
            while not reader.at_eof():
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.02)
        except ConnectionError:
            pass
        writer.close()

    server = await asyncio.start_server(respond, "127.0.0.1", 0)
    async with server, asyncio.timeout(5):
        outcome = await send(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", attempt_seconds=0.5)
    assert outcome.error == "No answer within 0.5 s"


@pytest.mark.parametrize("kind", ["endless", "slow"])
async def test_an_endless_body_is_abandoned(receiver: Receiver, kind: str) -> None:
    """Only the status counts."""
    sent_bytes = 0
    ended = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        nonlocal sent_bytes
        try:
            for _ in range(100_000):
                yield b"x" * (65_536 if kind == "endless" else 1)
                sent_bytes += 65_536
                await asyncio.sleep(0 if kind == "endless" else 0.05)
        finally:
            ended.set()

    async def endless() -> Response:
        return StreamingResponse(body())

    receiver.default_responder = endless
    started = time.monotonic()
    outcome = await send(receiver.url)
    assert (outcome.http_status, outcome.succeeded) == (200, True)
    assert time.monotonic() - started < RESPONSE_READ_SECONDS + 2
    await asyncio.wait_for(ended.wait(), 5)
    assert sent_bytes < 50_000_000


async def test_endless_headers_are_a_failure() -> None:
    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n")
        try:
            while True:
                writer.write(b"X-More: " + b"x" * 10_000 + b"\r\n")
                await writer.drain()
        except ConnectionError:
            writer.close()

    server = await asyncio.start_server(respond, "127.0.0.1", 0)
    async with server:
        outcome = await send(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
    assert (outcome.http_status, outcome.succeeded) == (None, False)


async def test_a_response_that_is_not_http_is_a_failure() -> None:
    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"+OK Redis ready\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(respond, "127.0.0.1", 0)
    async with server:
        outcome = await send(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
    assert (outcome.http_status, outcome.succeeded) == (None, False)


@dataclass(frozen=True, slots=True)
class Authority:
    """TLS contexts of a test authority: of a client that trusts it, and of a server that it certified."""

    trusting: ssl.SSLContext
    serving: ssl.SSLContext


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority that certified ``NAME``."""
    directory = tmp_path_factory.mktemp("authority")
    root_key, root = _certificate("Tests", None)
    key, certificate = _certificate(NAME, (root_key, root))
    chain = directory / "chain.pem"
    _write(chain, key, certificate)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(chain)
    trusting = ssl.create_default_context(cadata=root.public_bytes(serialization.Encoding.PEM).decode())
    return Authority(trusting, serving)


Issuer = tuple[ec.EllipticCurvePrivateKey, x509.Certificate]


def _certificate(name: str, issuer: Issuer | None) -> Issuer:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    public = key.public_key()
    signer = issuer[0] if issuer else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[1].subject if issuer else subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if issuer is None:
        usage = x509.KeyUsage(
            digital_signature=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        builder = builder.add_extension(usage, critical=True)
    return key, builder.sign(signer, hashes.SHA256())


def _write(path: Path, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(private + certificate.public_bytes(pem))


@asynccontextmanager
async def _https(authority: Authority) -> AsyncIterator[tuple[int, list[str]]]:
    """An HTTPS server that leaves connections open; yields its port and the server names (SNI) of its clients."""
    server_names: list[str] = []

    def note_name(_socket: object, name: str, _context: object) -> None:
        server_names.append(name)

    authority.serving.sni_callback = note_name

    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
                await reader.readexactly(length)
                writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            writer.close()

    server = await asyncio.start_server(respond, "127.0.0.1", 0, ssl=authority.serving)
    async with server:
        yield server.sockets[0].getsockname()[1], server_names


async def test_the_certificate_is_checked_against_the_name(authority: Authority) -> None:
    names = NameServer([["127.0.0.1"]])
    async with _https(authority) as (port, server_names):
        transport = PinnedTransport(LOOPBACK_POLICY, resolve=names.resolve, ssl_context=authority.trusting)
        outcome = await send(f"https://{NAME}:{port}/", transport)
    assert (outcome.http_status, outcome.error) == (204, None)
    assert server_names == [NAME]


async def test_another_name_with_the_same_address_needs_its_own_certificate(authority: Authority) -> None:
    """Even if a connection to that address, opened for the first name, is still open."""
    names = NameServer([["127.0.0.1"]])
    async with _https(authority) as (port, server_names):
        transport = PinnedTransport(LOOPBACK_POLICY, resolve=names.resolve, ssl_context=authority.trusting)
        sender = Sender(transport, attempt_seconds=5)
        assert (await sender.send(message(f"https://{NAME}:{port}/"))).succeeded
        outcome = await sender.send(message(f"https://other.example:{port}/"))
        await sender.close()
    assert (outcome.http_status, outcome.succeeded) == (None, False)
    assert "certificate" in str(outcome.error).lower()
    assert server_names == [NAME, "other.example"]


async def test_an_untrusted_certificate_is_rejected(authority: Authority) -> None:
    async with _https(authority) as (port, _server_names):
        transport = PinnedTransport(LOOPBACK_POLICY, resolve=NameServer([["127.0.0.1"]]).resolve)
        outcome = await send(f"https://{NAME}:{port}/", transport)
    assert (outcome.http_status, outcome.succeeded) == (None, False)


async def test_a_hanging_lookup_delays_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each lookup has a thread of its own."""

    resume = threading.Event()
    monkeypatch.setattr("socket.getaddrinfo", lambda *_args, **_named: resume.wait(30) and [])
    lookups = [asyncio.create_task(_bounded(resolve, 0.1)) for _ in range(50)]
    await asyncio.gather(*lookups)

    async def ended() -> bool:
        return not any(thread.name.startswith("resolve ") for thread in threading.enumerate())

    resume.set()
    await eventually(ended)


async def _bounded(lookup: Callable[[str, int], Awaitable[Sequence[str]]], seconds: float) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(seconds):
            await lookup("hooks.example", 443)
