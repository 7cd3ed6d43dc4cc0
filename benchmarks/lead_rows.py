"""Lead files as customers have them, of any size, the same on every run."""

import csv
import io
import random

from services.lead_svc.imports.loading import copy
from services.lead_svc.imports.records import QueuedImport
from services.lead_svc.imports.validation.validator import validate_rows
from services.lead_svc.spreadsheets.file_kind import FileKind
from services.lead_svc.spreadsheets.reader import read_sheet
from shared.database.engine import Database
from shared.ids import CampaignId, CompanyId, ImportId

HEADER = (
    "First Name",
    "Last Name",
    "Phone",
    "Email",
    "Company Name",
    "Job Title",
    "Industry",
    "Priority",
    "Best Time To Call",
    "Timezone",
    "Preferred Language",
    "Country",
    "State",
    "City",
    "Address",
    "Postal Code",
    "Source",
    "Source Details",
    "Annual Revenue",
    "Company Size",
    "Lead Score",
    "Interest Level",
    "Notes",
    "Tags",
)
_WRITTEN_FORMS = 0.1
"""Part of the phones that people wrote with brackets and dashes."""


def lead_file(rows: int) -> bytes:
    """A CSV file with every column of the contract and ``rows`` leads."""
    chance = random.Random(rows)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(HEADER)
    writer.writerows(_lead(chance, number) for number in range(rows))
    return out.getvalue().encode()


def _lead(chance: random.Random, number: int) -> tuple[object, ...]:
    exchange, line = 200 + number // 10_000, number % 10_000
    written = chance.random() < _WRITTEN_FORMS
    return (
        chance.choice(("John", "Jane", "María", "Søren", "Wei", "Aisha")),
        f"Doe{number}",
        f"(415) {exchange}-{line:04}" if written else f"+1415{exchange}{line:04}",
        f"lead{number}@leads.example.org",
        f"Company {number % 97}, Inc.",
        chance.choice(("Manager", "Director", "Engineer", "Owner")),
        chance.choice(("Technology", "Healthcare", "Retail")),
        chance.randint(1, 5),
        f"{chance.randint(8, 18):02}:00:00",
        chance.choice(("UTC", "America/New_York", "Europe/Berlin")),
        "en-US",
        "United States",
        "California",
        "San Francisco",
        f"{number} Main St, Suite {number % 40}",
        f"9{number % 10_000:04}",
        chance.choice(("Website", "Referral", "Trade show")),
        "Contact form submission",
        chance.randint(1, 9_999) * 1000,
        chance.choice(("1-10", "50-100", "500+")),
        chance.randint(0, 100),
        chance.choice(("low", "medium", "high")),
        "Requested a demo; prefers mornings.",
        "enterprise;follow-up" if number % 3 == 0 else "",
    )


async def load_leads(url: str, *, company_id: int, rows: int) -> None:
    """Load the leads of such a file for a company, as an import does; their campaign has its number."""
    database = Database(url, name="benchmark", statement_seconds=0)
    content = lead_file(rows)
    frame = validate_rows(read_sheet(content, FileKind.CSV), {}, row_limit=None).frame
    job = QueuedImport(
        id=ImportId(1),
        company_id=CompanyId(company_id),
        campaign_id=CampaignId(company_id),
        filename="leads.csv",
        kind=FileKind.CSV,
        content=content,
        default_values={},
        row_limit=None,
    )
    async with database.transaction() as connection:
        await copy.load_leads(connection, job, frame, _no_report)
    await database.close()


async def _no_report(_done: int) -> None:
    return
