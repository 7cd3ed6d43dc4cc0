"""What was published stays readable."""

import copy
from pathlib import Path

import pytest

from shared.events.publication import IncompatibleSchemaError, current, describe_changes, publish, published
from shared.events.schemas import Schema

CREATED = "lead.created.v1"


def changed(event_type: str, part: str, field: str, schema: Schema | None) -> dict[str, Schema]:
    """The schemas of the code, with a field of one type's part different, or without it."""
    schemas = copy.deepcopy(current())
    fields = schemas[event_type]["$defs"][part]["properties"]
    if schema is None:
        del fields[field]
    else:
        fields[field] = schema
    return schemas


def test_current_schemas_are_compatible_with_the_published_ones() -> None:
    assert list(describe_changes(published(), current())) == []


def test_every_type_is_published() -> None:
    missing = current().keys() - published().keys()
    assert not missing, f"`make publish-events` publishes {', '.join(sorted(missing))}"


def test_a_removed_field_is_reported_with_its_type_and_a_remedy() -> None:
    [change] = describe_changes(published(), changed(CREATED, "Lead", "phone", None))

    assert change == (
        "lead.created.v1: data.leads[].phone is gone. Leave lead.created.v1 as it was, and add lead.created.v2."
    )


def test_an_additional_field_is_compatible() -> None:
    assert list(describe_changes(published(), changed(CREATED, "Lead", "nickname", {"type": "string"}))) == []


def test_a_new_status_is_one_that_readers_may_not_handle() -> None:
    statuses = {"type": "string", "enum": ["draft", "active", "paused", "completed", "archived"]}

    [change] = describe_changes(published(), changed("campaign.created.v1", "Campaign", "status", statuses))

    assert change.startswith('campaign.created.v1: data.campaign.status may be "archived" now. ')


def test_a_removed_type_is_reported() -> None:
    now = current()
    del now["member.deleted.v1"]

    [change] = describe_changes(published(), now)

    assert change.startswith("member.deleted.v1 is gone, but it was published. ")


def test_a_change_of_the_envelope_concerns_every_type() -> None:
    now = copy.deepcopy(current())
    for schema in now.values():
        schema["required"].remove("time")

    changes = list(describe_changes(published(), now))

    assert len(changes) == len(now)
    assert all("time was always there and may be missing now" in change for change in changes)


def test_the_version_that_follows_the_ninth_is_the_tenth() -> None:
    schema = current()[CREATED]

    [change] = describe_changes({"lead.created.v9": schema}, {})

    assert "add lead.created.v10." in change


def test_published_schemas_are_read_back_unchanged(tmp_path: Path) -> None:
    publish(current(), tmp_path / "new")

    assert published(tmp_path / "new") == current()


def test_a_compatible_change_is_published(tmp_path: Path) -> None:
    publish(current(), tmp_path)
    now = changed(CREATED, "Lead", "nickname", {"type": "string"})

    publish(now, tmp_path)

    assert published(tmp_path) == now


def test_a_new_type_is_published(tmp_path: Path) -> None:
    first = current()
    del first[CREATED]
    publish(first, tmp_path)

    publish(current(), tmp_path)

    assert published(tmp_path) == current()


def test_a_rejected_publication_writes_nothing(tmp_path: Path) -> None:
    publish(current(), tmp_path)
    now = changed(CREATED, "Lead", "phone", None)
    now["member.updated.v1"]["description"] = "Another word for it."

    with pytest.raises(IncompatibleSchemaError, match=r"lead\.created\.v1: data\.leads\[\]\.phone is gone"):
        publish(now, tmp_path)

    assert published(tmp_path) == current()
