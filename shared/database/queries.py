r"""Named SQL files: the statements for the driver, in ``queries.sql`` beside the repository that executes them.

A file is a sequence of blocks::

    -- name: find_lead
    -- One lead of the companies that a caller may see. $1 id, $2 company ids.
    SELECT * FROM leads WHERE id = $1 AND company_id = ANY($2)

The comment below the name states the statement's purpose; a test requires it. Comments above the first name are about
the whole file.
"""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Final

_NAME: Final = re.compile(r"^-- name:(.*)$", re.MULTILINE)
_IDENTIFIER: Final = re.compile(r"[a-z][a-z0-9_]*")


class Queries(SimpleNamespace):
    """The statements of a SQL file: an attribute for each name."""

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> str: ...


class QueryFileError(Exception):
    """A SQL file is not a sequence of named statements."""


def load_queries(module_file: str, file_name: str) -> Queries:
    """Read the statements of a SQL file.

    Parameters
    ----------
    module_file
        ``__file__`` of the module that executes them; the SQL file is in the same folder.

    Raises
    ------
    QueryFileError
        If a name is no lower-case identifier or is there twice, or if a statement is missing.
    """
    path = Path(module_file).with_name(file_name)
    _, *parts = _NAME.split(path.read_text(encoding="utf-8"))
    queries: dict[str, str] = {}
    for name, block in zip(map(str.strip, parts[::2]), map(str.strip, parts[1::2]), strict=True):
        if not _IDENTIFIER.fullmatch(name) or name in queries:
            raise QueryFileError(f"{path}: {name!r} is no new name")
        if all(line.startswith("--") for line in block.splitlines()):
            raise QueryFileError(f"{path}: {name} has no statement")
        queries[name] = block
    return Queries(**queries)
