"""Settings, read from the environment: one class a kind of process. A missing one ends the process at its start."""

from typing import Literal, Self

from pydantic import Field, HttpUrl, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

MINIMUM_SECRET_LENGTH = 32
"""RFC 7518 requires an HS256 key of at least 256 bits."""


class LogSettings(BaseSettings):
    """Settings of a process's log."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    log_format: Literal["json", "console"] = "console"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"


class DatabaseSettings(LogSettings):
    """Settings of a process that uses its service's database."""

    database_url: SecretStr
    """``postgresql://user:password@host:port/database`` of the service's own database."""


class ProcessSettings(DatabaseSettings):
    """Settings of a long-running process: it listens on a port and needs PostgreSQL, RabbitMQ and Redis."""

    amqp_url: SecretStr
    redis_url: SecretStr
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    database_pool_size: int = Field(default=10, ge=1)
    shutdown_seconds: int = Field(default=8, ge=1)
    """How long requests and messages in progress may take to end after SIGTERM."""


class ApiSettings(ProcessSettings):
    """Settings of a process that serves API clients, and therefore must know whose tokens to trust."""

    jwt_secret: SecretStr | None = None
    """Key of HS256 tokens."""
    jwt_jwks_url: HttpUrl | None = None
    """Where the identity provider publishes the public keys of its RS256/ES256 tokens."""
    jwt_audience: str | None = None
    jwt_issuer: str | None = None

    @model_validator(mode="after")
    def _require_a_key(self) -> Self:
        if self.jwt_secret is None and self.jwt_jwks_url is None:
            raise ValueError("JWT_SECRET or JWT_JWKS_URL must be set")
        if self.jwt_secret is not None and len(self.jwt_secret.get_secret_value()) < MINIMUM_SECRET_LENGTH:
            raise ValueError(f"JWT_SECRET must have at least {MINIMUM_SECRET_LENGTH} characters")
        return self
