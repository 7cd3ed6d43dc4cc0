"""The columns that an import fills."""

from typing import Final

LEAD_COLUMNS: Final = (
    "first_name", "last_name", "phone", "alternate_phone", "email", "company_name", "job_title", "industry", "status",
    "priority", "best_time_to_call", "timezone", "preferred_language", "country", "state", "city", "address",
    "postal_code", "source", "source_details", "annual_revenue", "company_size", "lead_score", "interest_level",
    "pain_points", "requirements", "custom_fields", "assigned_to", "notes",
)  # fmt: skip
