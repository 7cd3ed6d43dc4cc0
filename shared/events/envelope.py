"""The envelope of every message: CloudEvents 1.0 in structured JSON.

Source: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar, Literal
from uuid import UUID, uuid4

import orjson
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

CONTENT_TYPE = "application/cloudevents+json"


class EventPart(BaseModel):
    """The base of every part of a message.

    Readers ignore fields they do not know, so a producer may add one without a new version. The docstring of a field is
    its description in the JSON Schema.
    """

    model_config = ConfigDict(extra="ignore", frozen=True, use_attribute_docstrings=True)


class EventData(EventPart):
    """The data of a type of event. A subclass names its type; the catalogue lists the subclasses."""

    event_type: ClassVar[str]
    """Type and routing key, with its version: ``lead.created.v1``."""


class Command(EventData):
    """A command to the product's own workers: not an event that others subscribe to."""


class Envelope(EventPart):
    """An event as it is sent."""

    specversion: Literal["1.0"] = "1.0"
    """The version of CloudEvents."""
    id: UUID
    """Unique to the event: a message with an id that was received before is a duplicate. Also the AMQP message id."""
    source: str
    """The service that emitted the event, as ``/lead-svc``."""
    type: str
    """The type of the event, with the version of its schema. Also the routing key and the AMQP message type."""
    time: AwareDatetime
    """When the change was made."""
    datacontenttype: Literal["application/json"] = "application/json"
    """The media type of ``data``."""
    companyid: int = Field(ge=1)
    """The company whose data changed, for consumers that serve only some."""
    data: dict[str, object]
    """The data of the event; its schema follows from ``type``."""


class Outgoing(BaseModel):
    """An event ready to be stored in the outbox: its id, type and serialized body."""

    model_config = ConfigDict(frozen=True)

    id: UUID
    type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Serialized:
    """Data that is serialized already, in the schema of its type.

    Imports emit such events: they have their leads as columns, and a model a lead would cost more than loading them.
    """

    event_type: str
    json: bytes


def frame(event_type: str, *, source: str, company_id: int) -> str:
    """Return an envelope with two placeholders ``%s``: the event's id, and its data as JSON. The time is now."""
    envelope = {
        "specversion": "1.0",
        "id": "%s",
        "source": source,
        "type": event_type,
        "time": datetime.now(UTC),
        "datacontenttype": "application/json",
        "companyid": company_id,
        "data": orjson.Fragment("%s"),
    }
    return orjson.dumps(envelope, option=orjson.OPT_UTC_Z).decode()


def compose(data: EventData | Serialized, *, source: str, company_id: int) -> Outgoing:
    """Return ``data`` in its envelope."""
    event_id = uuid4()
    json = data.json if isinstance(data, Serialized) else data.model_dump_json().encode()
    envelope = frame(data.event_type, source=source, company_id=company_id).encode()
    return Outgoing(id=event_id, type=data.event_type, body=envelope % (str(event_id).encode(), json))


def parse(body: bytes) -> Envelope:
    """Read an envelope.

    Raises
    ------
    ValueError
        If ``body`` is not JSON, or not an envelope of this product.
    """
    return Envelope.model_validate(orjson.loads(body))
