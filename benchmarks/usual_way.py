"""The import as it is usually written: csv, a pydantic model a row, ORM objects, ``add_all``.

It does the same checks and fills the same table. It is measured against, never used.
"""

import csv
import io
from datetime import time
from decimal import Decimal
from typing import Annotated, Literal

import phonenumbers
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, EmailStr, Field
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlalchemy.orm import registry

from services.lead_svc.tables import leads


class LeadEntity:
    """A row of ``leads``, as an ORM entity."""

    def __init__(self, **values: object) -> None:
        for name, value in values.items():
            setattr(self, name, value)


registry().map_imperatively(LeadEntity, leads)


def _e164(value: str) -> str:
    number = phonenumbers.parse(value, "US")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _split(value: object) -> object:
    return [tag.strip() for tag in value.split(";") if tag.strip()] if isinstance(value, str) else value


class LeadRow(BaseModel):
    """A row of the file."""

    model_config = ConfigDict(str_strip_whitespace=True)

    first_name: str | None = Field(default=None, max_length=100)
    last_name: str | None = Field(default=None, max_length=100)
    phone: Annotated[str, AfterValidator(_e164)]
    email: EmailStr | None = None
    company_name: str | None = Field(default=None, max_length=200)
    job_title: str | None = Field(default=None, max_length=200)
    industry: str | None = Field(default=None, max_length=100)
    priority: int = Field(default=3, ge=1, le=5)
    best_time_to_call: time | None = None
    timezone: str = "UTC"
    preferred_language: str = "en-US"
    country: str | None = None
    state: str | None = None
    city: str | None = None
    address: str | None = None
    postal_code: str | None = None
    source: str | None = None
    source_details: str | None = None
    annual_revenue: Decimal | None = Field(default=None, ge=0)
    company_size: str | None = None
    lead_score: int | None = Field(default=None, ge=0, le=100)
    interest_level: Literal["low", "medium", "high"] | None = None
    notes: str | None = None
    tags: Annotated[list[str], BeforeValidator(_split)] = []


async def import_usual_way(connection: AsyncConnection, content: bytes, *, company_id: int, campaign_id: int) -> int:
    """Load the file within the connection's transaction; returns how many leads it had."""
    reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig")))
    rows = [
        LeadRow.model_validate({name.lower().replace(" ", "_"): value or None for name, value in row.items() if value})
        for row in reader
    ]
    entities = []
    for row in rows:
        values = row.model_dump(exclude={"tags"})
        custom = {"tags": row.tags} if row.tags else {}
        entities.append(
            LeadEntity(**values, company_id=company_id, campaign_id=campaign_id, status="pending", custom_fields=custom)
        )
    async with AsyncSession(bind=connection, expire_on_commit=False) as session:
        session.add_all(entities)
        await session.flush()
    return len(entities)
