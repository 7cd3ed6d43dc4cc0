"""What is sent is what the catalogue says."""

from datetime import UTC, datetime

import polars as pl
import pytest

from services.lead_svc.imports.loading import created_events
from shared.events.catalogue import CATALOGUE
from shared.events.envelope import Serialized, compose, parse
from shared.events.imports import ImportRequested
from shared.events.leads import LEADS_PER_EVENT, Lead, LeadCreated

NOW = datetime(2026, 3, 1, 9, 0, 0, 123456, tzinfo=UTC)


def imported(rows: int) -> pl.DataFrame:
    """Leads as an import has them when it writes their events."""
    return pl.DataFrame(
        {
            "id": list(range(1, rows + 1)),
            "campaign_id": [7] * rows,
            "company_id": [3] * rows,
            "first_name": ['Zoë "Z" \\ \n'] * rows,
            "last_name": [None] * rows,
            "phone": ["+14155552671"] * rows,
            "email": [None] * rows,
            "status": ["pending"] * rows,
            "priority": [3] * rows,
            "source": ["bulk_import"] * rows,
            "lead_score": [None] * rows,
            "interest_level": [None] * rows,
            "assigned_to": [None] * rows,
            "notes": ["not told"] * rows,
        },
        schema_overrides={"lead_score": pl.Int16, "assigned_to": pl.Int64, "priority": pl.Int16},
    )


def test_the_leads_of_an_import_are_told_as_the_catalogue_says() -> None:
    rows = imported(LEADS_PER_EVENT + 1)
    told = [LeadCreated.model_validate_json(event.json, strict=True) for event in created_events(rows, NOW)]
    assert [len(data.leads) for data in told] == [LEADS_PER_EVENT, 1]
    leads = [lead for data in told for lead in data.leads]
    assert [lead.id for lead in leads] == rows["id"].to_list()
    assert leads[0] == Lead(
        id=1,
        version=1,
        campaign_id=7,
        company_id=3,
        first_name='Zoë "Z" \\ \n',
        last_name=None,
        phone="+14155552671",
        email=None,
        status="pending",
        priority=3,
        source="bulk_import",
        lead_score=None,
        interest_level=None,
        assigned_to=None,
        created_at=NOW,
        updated_at=NOW,
    )


def test_an_event_says_its_type_its_company_and_once_who_it_is() -> None:
    one = compose(ImportRequested(import_id=5), source="/lead-svc", company_id=3)
    other = compose(ImportRequested(import_id=5), source="/lead-svc", company_id=3)
    envelope = parse(one.body)
    assert (envelope.id, envelope.type, envelope.source, envelope.companyid, envelope.data) == (
        one.id,
        "import.requested.v1",
        "/lead-svc",
        3,
        {"import_id": 5},
    )
    assert one.id != other.id


def test_data_that_is_json_already_is_sent_as_it_is() -> None:
    outgoing = compose(Serialized("import.requested.v1", b'{"import_id":5}'), source="/lead-svc", company_id=3)
    assert parse(outgoing.body).data == {"import_id": 5}


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"\xff", b'{"specversion":"1.0"}'])
def test_what_is_no_event_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse(body)


def test_every_type_carries_its_version_and_is_named_by_its_class() -> None:
    for name, data in CATALOGUE.items():
        assert data.event_type == name
        assert name.endswith(".v1")
        assert data.__doc__
