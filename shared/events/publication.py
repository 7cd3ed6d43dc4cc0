"""The published schemas of events: one file a type, as it was at the last release.

``python -m shared.events.publication`` publishes the current schemas. It rejects incompatible changes, as a
test does long before. A type is withdrawn by deleting its file, once no program reads it.
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from shared.events.catalogue import EVENTS
from shared.events.compatibility import incompatible_changes
from shared.events.schemas import Schema, message_schema

DIRECTORY: Final = Path(__file__).parent / "published"


class IncompatibleSchemaError(Exception):
    """Readers of the published schemas could not read current messages."""


def as_text(schema: Schema) -> str:
    """Return a schema as the text of a file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def current() -> dict[str, Schema]:
    """Return the current schema of each type's messages."""
    return {event_type: message_schema(data) for event_type, data in EVENTS.items()}


def published(directory: Path = DIRECTORY) -> dict[str, Schema]:
    """Return the published schema of each type's messages."""
    return {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(directory.glob("*.json"))}


def describe_changes(before: Mapping[str, Schema], now: Mapping[str, Schema]) -> Iterator[str]:
    """Yield a sentence for each incompatible change of a published type."""
    for event_type, schema in before.items():
        advice = f"Leave {event_type} as it was, and add {_next_version(event_type)}."
        if event_type not in now:
            yield f"{event_type} is gone, but it was published. {advice}"
            continue
        for found in incompatible_changes(schema, now[event_type]):
            yield f"{event_type}: {found.field} {found.description}. {advice}"


def publish(now: Mapping[str, Schema], directory: Path = DIRECTORY) -> None:
    """Publish these schemas: all of them, or none.

    Raises
    ------
    IncompatibleSchemaError
        With a line for each incompatible change.
    """
    if reasons := list(describe_changes(published(directory), now)):
        raise IncompatibleSchemaError("\n".join(reasons))
    directory.mkdir(exist_ok=True)
    for event_type, schema in now.items():
        (directory / f"{event_type}.json").write_text(as_text(schema), "utf-8")


def _next_version(event_type: str) -> str:
    return re.sub(r"\d+$", lambda version: str(int(version[0]) + 1), event_type)


if __name__ == "__main__":
    try:
        publish(current())
    except IncompatibleSchemaError as error:
        sys.exit(str(error))
