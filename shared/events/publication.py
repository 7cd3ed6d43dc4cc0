"""The schemas that programs outside have been told: one file a type, as it was at the last release.

``python -m shared.events.publication`` publishes what the code says now. It refuses what readers of the published ones
could stumble over; a test does so too, long before. A type is withdrawn by deleting its file, once nobody reads it.
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from shared.events.catalogue import EVENTS
from shared.events.compatibility import breaks
from shared.events.schemas import Schema, message_schema

DIRECTORY: Final = Path(__file__).parent / "published"


class Incompatible(Exception):
    """Readers of what was published could not read what is to be published."""


def as_text(schema: Schema) -> str:
    """A schema as files hold it."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def current() -> dict[str, Schema]:
    """The schema of each type's messages, as the code says now."""
    return {event_type: message_schema(data) for event_type, data in EVENTS.items()}


def published(directory: Path = DIRECTORY) -> dict[str, Schema]:
    """The schema of each type's messages, as programs outside know it."""
    return {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(directory.glob("*.json"))}


def complaints(before: Mapping[str, Schema], now: Mapping[str, Schema]) -> Iterator[str]:
    """What of the published types may not be as it is now, in a sentence each."""
    for event_type, schema in before.items():
        advice = f"Leave {event_type} as it was, and add {_next_version(event_type)} beside it."
        if event_type not in now:
            yield f"{event_type} is gone, but it was published. {advice}"
            continue
        for found in breaks(schema, now[event_type]):
            yield f"{event_type}: {found.field} {found.what}. {advice}"


def publish(now: Mapping[str, Schema], directory: Path = DIRECTORY) -> None:
    """Make these schemas the published ones: all of them, or none.

    Raises
    ------
    Incompatible
        Saying why, with a line for each reason.
    """
    if reasons := list(complaints(published(directory), now)):
        raise Incompatible("\n".join(reasons))
    directory.mkdir(exist_ok=True)
    for event_type, schema in now.items():
        (directory / f"{event_type}.json").write_text(as_text(schema), "utf-8")


def _next_version(event_type: str) -> str:
    return re.sub(r"\d+$", lambda version: str(int(version[0]) + 1), event_type)


if __name__ == "__main__":
    try:
        publish(current())
    except Incompatible as refusal:
        sys.exit(str(refusal))
