"""The template of a lead file: the columns of the contract, and one example lead."""

from typing import Final

EXAMPLE: Final = {
    "phone": "+14155550100",
    "first_name": "John",
    "last_name": "Doe",
    "email": "john@example.com",
    "company_name": "ABC Corp",
    "job_title": "Manager",
    "industry": "Technology",
    "priority": "1",
    "best_time_to_call": "14:00:00",
    "timezone": "America/New_York",
    "preferred_language": "en-US",
    "country": "United States",
    "state": "California",
    "city": "San Francisco",
    "address": "123 Main St, Suite 200",
    "postal_code": "94105",
    "source": "Website",
    "source_details": "Contact form",
    "annual_revenue": "5000000.00",
    "company_size": "50-100",
    "lead_score": "85",
    "interest_level": "high",
    "notes": "Prefers to be called in the afternoon",
    "tags": "enterprise, high-value",
}
"""The example lead, by column. Only the column ``phone`` is required in a file."""


def template_rows() -> list[list[str]]:
    """Return the header and the example lead."""
    return [list(EXAMPLE), list(EXAMPLE.values())]
