"""Which tokens are trusted."""

import json
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pydantic import HttpUrl, SecretStr

from shared.http.auth import TokenVerifier
from shared.http.errors import Forbidden, ServiceUnavailable, Unauthenticated
from shared.settings import ApiSettings

SECRET = "0123456789abcdef" * 4


def settings(**changes: Any) -> ApiSettings:
    complete: dict[str, Any] = {
        "database_url": SecretStr("postgresql://x"),
        "amqp_url": SecretStr("amqp://x"),
        "redis_url": SecretStr("redis://x"),
    }
    return ApiSettings(**(complete | changes))


def claims(**changes: object) -> dict[str, object]:
    return {"sub": "me", "companies": [1, 2], "role": "user", "exp": time.time() + 60} | changes


def signed(payload: dict[str, object], key: Any = SECRET, algorithm: str = "HS256", kid: str | None = None) -> str:
    return jwt.encode(payload, key, algorithm=algorithm, headers={"kid": kid} if kid else None)


@pytest.fixture
def by_secret() -> TokenVerifier:
    return TokenVerifier(settings(jwt_secret=SecretStr(SECRET)))


async def test_a_valid_token_names_caller_and_companies(by_secret: TokenVerifier) -> None:
    principal = await by_secret.verify(signed(claims(role="admin")))
    assert (principal.subject, principal.companies, principal.is_admin) == ("me", frozenset({1, 2}), True)
    principal.require_company(2)
    with pytest.raises(Forbidden):
        principal.require_company(3)


@pytest.mark.parametrize(
    "payload",
    [
        claims(exp=time.time() - 1),
        {name: value for name, value in claims().items() if name != "exp"},
        {name: value for name, value in claims().items() if name != "sub"},
        {name: value for name, value in claims().items() if name != "companies"},
        claims(companies="1"),
        claims(companies=[0]),
        claims(companies=[True, "x"]),
        claims(role="root"),
    ],
)
async def test_a_token_with_wrong_claims_is_rejected(by_secret: TokenVerifier, payload: dict[str, object]) -> None:
    with pytest.raises(Unauthenticated):
        await by_secret.verify(signed(payload))


async def test_a_token_with_another_signature_is_rejected(by_secret: TokenVerifier) -> None:
    unsigned = jwt.encode(claims(), "", algorithm="none")
    for token in (signed(claims(), SECRET[::-1]), unsigned, signed(claims(), algorithm="HS512"), "x.y.z", ""):
        with pytest.raises(Unauthenticated):
            await by_secret.verify(token)


async def test_a_verified_token_is_cached_for_a_minute_and_no_longer_than_it_is_valid(
    by_secret: TokenVerifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fails when an expired token, or one of a secret that was withdrawn over a minute ago, is still accepted."""
    now = time.time()
    short, long = (signed(claims(exp=now + seconds)) for seconds in (30, 3600))
    for token in (short, long):
        await by_secret.verify(token)
    monkeypatch.setattr(by_secret, "_secret", SECRET[::-1])  # verified again, each would be rejected
    for seconds, accepted in ((29, {short, long}), (31, {long}), (59, {long}), (61, set())):
        monkeypatch.setattr("shared.http.auth.time.time", partial(float, now + seconds))
        for token in (short, long):
            if token in accepted:
                assert (await by_secret.verify(token)).subject == "me"
            else:
                with pytest.raises(Unauthenticated):
                    await by_secret.verify(token)


class KeyServer:
    """An identity provider that publishes its keys; counts the requests."""

    def __init__(self) -> None:
        self.keys: list[dict[str, Any]] = []
        self.requests = 0
        self.status = 200
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.requests += 1
                self.send_response(provider.status)
                self.end_headers()
                self.wfile.write(json.dumps({"keys": provider.keys}).encode())

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002, ARG002 - the base class requires it
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = HttpUrl(f"http://127.0.0.1:{self.server.server_port}/jwks")

    def publish(self, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, kid: str) -> None:
        algorithm = jwt.get_algorithm_by_name("RS256" if isinstance(key, rsa.RSAPrivateKey) else "ES256")
        self.keys.append(json.loads(algorithm.to_jwk(key.public_key())) | {"kid": kid, "use": "sig"})


@pytest.fixture
def provider() -> Iterator[KeyServer]:
    server = KeyServer()
    thread = threading.Thread(target=server.server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.server.shutdown()
    thread.join()
    server.server.server_close()


async def test_tokens_of_an_identity_provider_are_accepted_and_its_keys_cached(provider: KeyServer) -> None:
    rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    ec_key = ec.generate_private_key(ec.SECP256R1())
    provider.publish(rsa_key, "one")
    provider.publish(ec_key, "two")
    verifier = TokenVerifier(settings(jwt_jwks_url=provider.url))
    for _ in range(3):
        assert (await verifier.verify(signed(claims(), rsa_key, "RS256", "one"))).subject == "me"
        assert (await verifier.verify(signed(claims(), ec_key, "ES256", "two"))).subject == "me"
    assert provider.requests == 1


async def test_a_public_key_does_not_serve_as_a_shared_secret(provider: KeyServer) -> None:
    rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    provider.publish(rsa_key, "one")
    verifier = TokenVerifier(settings(jwt_jwks_url=provider.url))
    forged = signed(claims(), provider.keys[0]["n"], "HS256", "one")
    stranger = signed(claims(), rsa.generate_private_key(public_exponent=65537, key_size=2048), "RS256", "one")
    for token in (forged, stranger, signed(claims(), rsa_key, "RS256", "unknown")):
        with pytest.raises(Unauthenticated):
            await verifier.verify(token)


async def test_unknown_keys_do_not_drive_requests_to_the_identity_provider(provider: KeyServer) -> None:
    rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    provider.publish(rsa_key, "one")
    verifier = TokenVerifier(settings(jwt_jwks_url=provider.url))
    for number in range(5):
        with pytest.raises(Unauthenticated):
            await verifier.verify(signed(claims(), rsa_key, "RS256", f"unknown {number}"))
    assert provider.requests == 1


async def test_an_unavailable_identity_provider_is_reported_as_unavailable(provider: KeyServer) -> None:
    provider.status = 500
    verifier = TokenVerifier(settings(jwt_jwks_url=provider.url))
    rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    with pytest.raises(ServiceUnavailable):
        await verifier.verify(signed(claims(), rsa_key, "RS256", "one"))


async def test_audience_and_issuer_must_be_ours_when_they_are_set() -> None:
    verifier = TokenVerifier(settings(jwt_secret=SecretStr(SECRET), jwt_audience="voice", jwt_issuer="us"))
    assert (await verifier.verify(signed(claims(aud="voice", iss="us")))).subject == "me"
    for payload in (claims(), claims(aud="other", iss="us"), claims(aud="voice", iss="them")):
        with pytest.raises(Unauthenticated):
            await verifier.verify(signed(payload))
