"""A process without a required setting names it, and does not start."""

import pytest

from services.lead_svc.settings import LeadApiSettings
from shared.service import load_settings

COMPLETE = {
    "DATABASE_URL": "postgresql://leads:x@127.0.0.1:1/leads",
    "AMQP_URL": "amqp://127.0.0.1:1",
    "REDIS_URL": "redis://127.0.0.1:1",
    "JWT_SECRET": "0123456789abcdef0123456789abcdef",
    "CAMPAIGN_SVC_URL": "http://127.0.0.1:1",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every required setting."""
    for name, value in COMPLETE.items():
        monkeypatch.setenv(name, value)


def error_at_start(capsys: pytest.CaptureFixture[str]) -> str:
    """The error of a process that does not start."""
    with pytest.raises(SystemExit) as stopped:
        load_settings(LeadApiSettings, process="lead-api")
    assert stopped.value.code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize("name", ["DATABASE_URL", "AMQP_URL", "REDIS_URL", "CAMPAIGN_SVC_URL"])
def test_a_missing_setting_is_named(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(name)
    assert error_at_start(capsys) == f"lead-api: {name}: Field required\n"


def test_an_api_does_not_start_without_a_secret(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("JWT_SECRET")
    assert error_at_start(capsys) == "lead-api: JWT_SECRET or JWT_JWKS_URL must be set\n"


def test_an_api_does_not_start_with_a_secret_that_can_be_guessed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JWT_SECRET", "hunter2")
    error = error_at_start(capsys)
    assert error == "lead-api: JWT_SECRET must have at least 32 characters\n"
    assert "hunter2" not in error


def test_secrets_are_not_in_the_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://leads:hunter2@127.0.0.1:1/leads")
    text = repr(LeadApiSettings())
    assert "hunter2" not in text
    assert COMPLETE["JWT_SECRET"] not in text
