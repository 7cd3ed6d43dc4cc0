"""The compose stack's `.env`: made from `.env.example`, with random passwords."""

import re
import secrets
from pathlib import Path

from deploy.local.state_directory import StateDirectory

ASSIGNMENT = re.compile(r"^([A-Z][A-Z0-9_]*)=(.*)$")


def parse(text: str) -> dict[str, str]:
    """The assignments of an env file; quotes around a value are taken off."""
    found = (ASSIGNMENT.match(line.strip()) for line in text.splitlines())
    return {match[1]: match[2].strip().strip("\"'") for match in found if match}


def complete(text: str, example: str) -> str:
    """An env file with every setting of the example: one without a value gets a random one, one it lacks is added."""
    lines = [_filled(line) for line in text.splitlines()]
    have = parse(text)
    lines += [_filled(f"{name}={value}") for name, value in parse(example).items() if name not in have]
    return "\n".join(lines) + "\n"


def ensure(path: Path, example: Path) -> dict[str, str]:
    """Make or complete the file, readable by its owner alone, and return its settings."""
    before = path.read_text() if path.exists() else example.read_text()
    after = complete(before, example.read_text())
    if not path.exists() or after != before:
        StateDirectory.write_private(path, after)
    return parse(after)


def _filled(line: str) -> str:
    match = ASSIGNMENT.match(line.strip())
    return f"{match[1]}={secrets.token_hex(32)}" if match and not match[2].strip() else line
