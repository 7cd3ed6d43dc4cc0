"""What messages travel on: checked addresses alone, no redirects, and an end to everything."""

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

from services.webhook_svc.destinations import Destinations
from services.webhook_svc.sending.attempt import READ_SECONDS, Message, Outcome, Sender
from services.webhook_svc.sending.dns import resolve
from services.webhook_svc.sending.transport import PinnedTransport
from services.webhook_svc.signatures import new_secret
from tests.fixtures.waiting import eventually
from tests.fixtures.webhooks import HERE, Receiver

EVENT = UUID("8e03978e-40d5-43dd-bc93-6894a57f9324")
NAME = "hooks.example"
REFUSED = "The host has an address that is not public"


@dataclass
class Names:
    """A name server: says what it is told to, each answer once and the last for ever."""

    answers: list[Sequence[str]]
    asked: list[str] = field(default_factory=list)

    async def resolve(self, host: str, _port: int) -> Sequence[str]:
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def message(url: str, body: bytes = b"{}") -> Message:
    return Message(url, (new_secret(),), EVENT, body)


async def sent(
    url: str, transport: PinnedTransport | None = None, *, attempt_seconds: float = 5, body: bytes = b"{}"
) -> Outcome:
    sender = Sender(transport or PinnedTransport(HERE), attempt_seconds=attempt_seconds)
    try:
        return await sender.send(message(url, body))
    finally:
        await sender.close()


def named(receiver: Receiver, name: str = NAME) -> str:
    """The receiver's URL with a name in the place of its address."""
    return receiver.url.replace("127.0.0.1", name)


async def test_a_name_is_looked_up_once_and_the_answer_connected_to(receiver: Receiver) -> None:
    """A name server that has another answer for whoever asks again ("rebinding") is not asked again."""
    names = Names([["127.0.0.1"], ["192.168.0.1"]])
    outcome = await sent(named(receiver), PinnedTransport(HERE, resolve=names.resolve))
    assert outcome.succeeded, outcome
    assert names.asked == [NAME]
    [request] = receiver.requests
    assert request.headers["host"] == named(receiver).split("/")[2]


async def test_a_name_that_means_another_address_now_is_judged_by_that(receiver: Receiver) -> None:
    names = Names([["127.0.0.1"], ["10.0.0.1"]])
    transport = PinnedTransport(HERE, resolve=names.resolve)
    sender = Sender(transport, attempt_seconds=5)
    assert (await sender.send(message(named(receiver)))).succeeded
    assert (await sender.send(message(named(receiver)))).error == REFUSED
    await sender.close()
    assert len(receiver.requests) == 1


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["::1"], ["::ffff:127.0.0.1"]])
async def test_a_name_with_any_address_that_is_not_public_is_refused(
    receiver: Receiver, addresses: Sequence[str]
) -> None:
    transport = PinnedTransport(Destinations(allow_http=True), resolve=Names([addresses]).resolve)
    outcome = await sent(named(receiver), transport)
    assert (outcome.error, outcome.http_status) == (REFUSED, None)
    assert receiver.requests == []


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.1", "2130706433", "0x7f.1", "localhost", "[::1]", "[::ffff:7f00:1]"]
)
async def test_an_address_that_is_not_public_is_refused_at_the_delivery_too(receiver: Receiver, host: str) -> None:
    outcome = await sent(named(receiver, host), PinnedTransport(Destinations(allow_http=True)))
    assert "not public" in str(outcome.error)
    assert receiver.requests == []


@pytest.mark.parametrize(
    "url", ["http://{}/hook", "https://user@{}/hook", "ftp://{}/hook", "https://{}/hook#part", "https://"]
)
async def test_a_url_that_no_longer_complies_is_refused(url: str) -> None:
    """The operator may have changed the rules since it was stored."""
    here = Destinations(allowed_networks=HERE.allowed_networks)
    outcome = await sent(url.format("127.0.0.1:9"), PinnedTransport(here))
    assert str(outcome.error).startswith("The URL must")


async def test_a_name_that_nobody_has_is_a_failure() -> None:
    outcome = await sent("http://nobody.invalid/", PinnedTransport(HERE))
    assert outcome.error == "The host cannot be found"


async def test_a_name_that_cannot_be_one_is_a_failure() -> None:
    for host in ("a..b", "a" * 64 + ".example"):
        outcome = await sent(f"http://{host}/", PinnedTransport(HERE))
        assert outcome.error == "The host cannot be found", host


async def test_the_systems_resolver_is_asked() -> None:
    assert "127.0.0.1" in await resolve("localhost", 80)


async def test_proxies_of_the_environment_are_passed_by(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert (await sent(receiver.url)).succeeded


async def test_the_next_address_is_tried_when_one_cannot_be_connected_to(receiver: Receiver) -> None:
    transport = PinnedTransport(HERE, resolve=Names([["127.0.0.9", "127.0.0.1"]]).resolve)
    assert (await sent(named(receiver), transport)).succeeded
    assert len(receiver.requests) == 1


async def test_nobody_there_is_a_failure() -> None:
    outcome = await sent("http://127.0.0.1:9/")
    assert (outcome.http_status, outcome.succeeded) == (None, False)
    assert outcome.error


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(receiver: Receiver, status: int) -> None:
    receiver.will_answer(status, headers={"Location": f"{receiver.url}/elsewhere"})
    outcome = await sent(receiver.url)
    assert (outcome.http_status, outcome.error) == (status, f"Answered {status}; redirects are not followed")
    assert [request.path for request in receiver.requests] == ["/hook"]


async def test_no_answer_ends_the_attempt(receiver: Receiver) -> None:
    never = asyncio.Event()

    async def silent() -> Response:
        await never.wait()
        return Response()

    receiver.usual = silent
    started = time.monotonic()
    outcome = await sent(receiver.url, attempt_seconds=0.3)
    assert (outcome.http_status, outcome.error) == (None, "No answer within 0.3 s")
    assert time.monotonic() - started < 3
    never.set()


async def test_a_name_server_that_does_not_answer_ends_the_attempt() -> None:
    async def silent(_host: str, _port: int) -> Sequence[str]:
        await asyncio.Event().wait()
        return []

    transport = PinnedTransport(HERE, resolve=silent)
    async with asyncio.timeout(5):
        outcome = await sent("http://hooks.example/", transport, attempt_seconds=0.3)
    assert outcome.error == "No answer within 0.3 s"


async def test_an_answer_that_trickles_ends_the_attempt() -> None:
    """Each byte comes in time, and their end never."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
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

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server, asyncio.timeout(5):
        outcome = await sent(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", attempt_seconds=0.5)
    assert outcome.error == "No answer within 0.5 s"


@pytest.mark.parametrize("kind", ["endless", "slow"])
async def test_an_answer_without_end_is_let_go(receiver: Receiver, kind: str) -> None:
    """Its status is all that counts."""
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

    async def without_end() -> Response:
        return StreamingResponse(body())

    receiver.usual = without_end
    started = time.monotonic()
    outcome = await sent(receiver.url)
    assert (outcome.http_status, outcome.succeeded) == (200, True)
    assert time.monotonic() - started < READ_SECONDS + 2
    await asyncio.wait_for(ended.wait(), 5)
    assert sent_bytes < 50_000_000


async def test_headers_without_end_are_a_failure() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n")
        try:
            while True:
                writer.write(b"X-More: " + b"x" * 10_000 + b"\r\n")
                await writer.drain()
        except ConnectionError:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        outcome = await sent(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
    assert (outcome.http_status, outcome.succeeded) == (None, False)


async def test_what_is_not_http_is_a_failure() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"+OK Redis ready\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        outcome = await sent(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
    assert (outcome.http_status, outcome.succeeded) == (None, False)


@dataclass(frozen=True, slots=True)
class Authority:
    """A certification authority of the tests, and a server's certificate by it."""

    trusting: ssl.SSLContext
    serving: ssl.SSLContext


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority that has certified ``NAME``."""
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
    """An HTTPS server; gives its port and the names that its clients ask for, and keeps connections open."""
    asked: list[str] = []

    def note_name(_socket: object, name: str, _context: object) -> None:
        asked.append(name)

    authority.serving.sni_callback = note_name

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
                await reader.readexactly(length)
                writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=authority.serving)
    async with server:
        yield server.sockets[0].getsockname()[1], asked


async def test_the_certificate_is_the_names_though_its_address_is_connected_to(authority: Authority) -> None:
    names = Names([["127.0.0.1"]])
    async with _https(authority) as (port, asked):
        transport = PinnedTransport(HERE, resolve=names.resolve, ssl_context=authority.trusting)
        outcome = await sent(f"https://{NAME}:{port}/", transport)
    assert (outcome.http_status, outcome.error) == (204, None)
    assert asked == [NAME]


async def test_another_name_at_the_same_address_needs_a_certificate_of_its_own(authority: Authority) -> None:
    """Also when a connection to that address, opened for the first name, might still be open."""
    names = Names([["127.0.0.1"]])
    async with _https(authority) as (port, asked):
        transport = PinnedTransport(HERE, resolve=names.resolve, ssl_context=authority.trusting)
        sender = Sender(transport, attempt_seconds=5)
        assert (await sender.send(message(f"https://{NAME}:{port}/"))).succeeded
        outcome = await sender.send(message(f"https://other.example:{port}/"))
        await sender.close()
    assert (outcome.http_status, outcome.succeeded) == (None, False)
    assert "certificate" in str(outcome.error).lower()
    assert asked == [NAME, "other.example"]


async def test_a_certificate_of_nobody_is_refused(authority: Authority) -> None:
    async with _https(authority) as (port, _asked):
        transport = PinnedTransport(HERE, resolve=Names([["127.0.0.1"]]).resolve)
        outcome = await sent(f"https://{NAME}:{port}/", transport)
    assert (outcome.http_status, outcome.succeeded) == (None, False)


async def test_nobody_waits_for_a_look_up_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has a thread of its own, so that many of them hold up nothing else."""

    go_on = threading.Event()
    monkeypatch.setattr("socket.getaddrinfo", lambda *_args, **_named: go_on.wait(30) and [])
    look_ups = [asyncio.create_task(_bounded(resolve, 0.1)) for _ in range(50)]
    await asyncio.gather(*look_ups)

    async def ended() -> bool:
        return not any(thread.name.startswith("resolve ") for thread in threading.enumerate())

    go_on.set()
    await eventually(ended)


async def _bounded(look_up: Callable[[str, int], Awaitable[Sequence[str]]], seconds: float) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(seconds):
            await look_up("hooks.example", 443)
