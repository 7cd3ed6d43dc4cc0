"""Errors of reports."""

from shared.http.errors import NotFound, ServiceUnavailable


def campaign_not_found() -> NotFound:
    """Return the error for a campaign that does not exist for the caller."""
    return NotFound("Voice campaign not found")


def campaign_unavailable() -> ServiceUnavailable:
    """Return the error for a campaign whose events have not arrived, while campaign_svc does not answer."""
    return ServiceUnavailable(
        "Service unavailable", "The campaign's events have not arrived yet and campaign_svc does not answer; try again"
    )
