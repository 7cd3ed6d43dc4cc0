"""Authentication: JSON Web Tokens, signed with a shared secret or by an identity provider.

A token's claims: ``sub``, ``exp``, ``companies`` (list of company ids it covers) and ``role`` (``user`` or ``admin``).
"""

import time
from dataclasses import dataclass
from typing import Annotated, Literal

import jwt
import structlog
from fastapi import Depends, Path, Query, Request
from fastapi.security import HTTPBearer
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.responses import Response

from shared.http.errors import ApiError, Forbidden, ServiceUnavailable, Unauthenticated, handle_validation_error
from shared.ids import MAX_ID, CompanyId
from shared.process import load_lazily
from shared.schema import StrictIntText
from shared.settings import ApiSettings

JWKS_SECONDS = 300.0
JWKS_PAUSE_SECONDS = 10.0
"""Shortest pause between two fetches for an unknown key id, so that bad tokens cannot cause a flood of requests."""
CACHE_SECONDS = 60.0
"""How long a verified token is accepted without verifying it again, unless it expires before: checking signature and
claims costs as much as reading a row. A key that is withdrawn is noticed so much later."""
MAX_CACHED_TOKENS = 10_000
SHARED_SECRET_ALGORITHMS = ["HS256"]
PUBLIC_KEY_ALGORITHMS = ["RS256", "ES256"]

logger = structlog.get_logger(__name__)


class _Claims(BaseModel):
    model_config = ConfigDict(extra="ignore")

    sub: str
    companies: frozenset[Annotated[int, Field(ge=1)]]
    role: Literal["user", "admin"] = "user"
    exp: float


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller of a request."""

    subject: str
    companies: frozenset[int]
    """Companies whose data the caller may see and change."""
    is_admin: bool
    token: str
    """The token as it was sent, for a request to another service in the caller's name."""

    def require_company(self, company_id: int) -> None:
        """Raise ``Forbidden`` unless the token covers the company; the request's log lines name it from here on."""
        structlog.contextvars.bind_contextvars(company_id=company_id)
        if company_id not in self.companies:
            raise Forbidden("Access denied", f"The token does not cover company {company_id}")


class TokenVerifier:
    """Verifies tokens; a verified token is cached."""

    def __init__(self, settings: ApiSettings) -> None:
        self._secret = settings.jwt_secret.get_secret_value() if settings.jwt_secret else None
        self._jwks_url = str(settings.jwt_jwks_url) if settings.jwt_jwks_url else None
        self._audience = settings.jwt_audience
        self._issuer = settings.jwt_issuer
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched = -JWKS_SECONDS
        self._cache: dict[str, tuple[Principal, float]] = {}
        """Verified tokens, and the time until which each is accepted without a check."""

    async def verify(self, token: str) -> Principal:
        """Check signature, expiry and claims; return the caller.

        Raises
        ------
        Unauthenticated
            If the token is not valid.
        ServiceUnavailable
            If the identity provider's keys are needed and cannot be fetched.
        """
        principal, until = self._cache.get(token, (None, 0.0))
        now = time.time()
        if principal is not None and now < until:
            return principal
        try:
            header = jwt.get_unverified_header(token)
            claims = self._decode(token, await self._key(header), header)
            checked = _Claims.model_validate(claims)
        except (jwt.PyJWTError, ValidationError) as error:
            logger.info("token_rejected", reason=type(error).__name__)
            raise Unauthenticated from error
        principal = Principal(checked.sub, checked.companies, checked.role == "admin", token)
        if len(self._cache) >= MAX_CACHED_TOKENS:
            self._cache.clear()
        self._cache[token] = principal, min(checked.exp, now + CACHE_SECONDS)
        return principal

    def _decode(self, token: str, key: jwt.PyJWK | str, header: dict[str, object]) -> dict[str, object]:
        # The algorithms follow from the kind of the trusted key, never from the token's own header.
        algorithms = SHARED_SECRET_ALGORITHMS if isinstance(key, str) else PUBLIC_KEY_ALGORITHMS
        if header.get("alg") not in algorithms:
            raise jwt.InvalidAlgorithmError
        return jwt.decode(
            token,
            key,
            algorithms=algorithms,
            audience=self._audience,
            issuer=self._issuer,
            options={"require": ["exp", "sub"], "verify_aud": self._audience is not None},
        )

    async def _key(self, header: dict[str, object]) -> jwt.PyJWK | str:
        if self._jwks_url is None or (self._secret is not None and header.get("alg") in SHARED_SECRET_ALGORITHMS):
            if self._secret is None:
                raise jwt.InvalidKeyError
            return self._secret
        key_id = str(header.get("kid"))
        age = time.monotonic() - self._fetched
        if age > JWKS_SECONDS or (key_id not in self._keys and age > JWKS_PAUSE_SECONDS):
            await self._fetch_keys(self._jwks_url)
        if key_id not in self._keys:
            raise jwt.InvalidKeyError
        return self._keys[key_id]

    async def _fetch_keys(self, url: str) -> None:
        await load_lazily("httpx")
        import httpx

        try:
            async with httpx.AsyncClient(timeout=5) as client:
                response = (await client.get(url)).raise_for_status()
            keys = jwt.PyJWKSet.from_dict(response.json()).keys
        except (httpx.HTTPError, ValueError, jwt.PyJWTError) as error:
            logger.error("jwks_unavailable", url=url, error=repr(error))
            if self._keys:
                return  # old keys are better than none
            raise ServiceUnavailable(
                "Authentication is unavailable", "The identity provider's keys cannot be read"
            ) from error
        self._keys = {key.key_id: key for key in keys if key.key_id is not None}
        self._fetched = time.monotonic()


class _Authentication(HTTPBearer):
    """Authenticates the caller. It is a security scheme itself, so that a token is read once a request."""

    async def __call__(self, request: Request) -> Principal:  # type: ignore[override]
        """Return the caller, from the ``Authorization`` header."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Unauthenticated
        verifier: TokenVerifier = request.app.state.token_verifier
        return await verifier.verify(token.strip())


_authenticate = _Authentication(
    scheme_name="bearerAuth",
    bearerFormat="JWT",
    description="JSON Web Token with the claims `sub`, `exp`, `companies` (ids) and `role` (`user` or `admin`).",
    auto_error=False,
)


async def handle_validation_error_when_authenticated(request: Request, error: Exception) -> Response:
    """Return the response to a request that does not validate; to an unauthenticated caller only that error.

    FastAPI reads a body before it authenticates the caller, so an error in the body is found first.
    """
    try:
        await _authenticate(request)
    except ApiError as error_of_caller:
        return error_of_caller.response()
    return await handle_validation_error(request, error)


Caller = Annotated[Principal, Depends(_authenticate)]
"""Parameter of an endpoint that only authenticated callers reach."""


async def _company_in_path(
    caller: Caller,
    company_id: Annotated[
        int,
        Path(
            alias="companyId",
            ge=1,
            le=MAX_ID,
            description="Id of the company, which the token must cover.",
            examples=[1],
        ),
        StrictIntText,
    ],
) -> CompanyId:
    caller.require_company(company_id)
    return CompanyId(company_id)


CompanyInPath = Annotated[CompanyId, Depends(_company_in_path)]
"""``{companyId}`` of the path, covered by the caller's token."""


async def _companies_in_query(
    caller: Caller,
    company_id: Annotated[
        int | None,
        Query(ge=1, le=MAX_ID, description="Only this company, instead of all that the token covers."),
        StrictIntText,
    ] = None,
) -> frozenset[int]:
    if company_id is None:
        return caller.companies
    caller.require_company(company_id)
    return frozenset({company_id})


CompaniesInQuery = Annotated[frozenset[int], Depends(_companies_in_query)]
"""The requested companies: ``company_id`` of the query, else all that the caller's token covers."""
