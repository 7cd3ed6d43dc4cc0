"""Named SQL files: ``queries.sql`` beside a repository, one statement per ``-- name: x`` block."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

_NAME: Final = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)


def load_queries(module_file: str, file_name: str) -> Any:  # noqa: ANN401
    """Read the statements of a SQL file that lies beside a module."""
    _, *parts = _NAME.split(Path(module_file).with_name(file_name).read_text())
    return SimpleNamespace(**{name: sql.strip() for name, sql in zip(parts[::2], parts[1::2], strict=True)})
