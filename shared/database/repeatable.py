"""Repeatable migrations: SQL files that are edited in place and applied again when their checksum changes.

A versioned migration is frozen once it is released. What replaces itself as a whole (views, functions) lives in a file
of its own instead: ``migrate`` compares the file's checksum with the one stored in the database and runs the file when
they differ, in the transaction and under the lock of the versioned migrations.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from sqlalchemy import Column, Connection, DateTime, MetaData, Table, Text, func, select
from sqlalchemy.dialects.postgresql import insert

from shared.database.queries import load_queries

_COMMENT: Final = re.compile(r"--[^\n]*")


def repeatable_migrations_table(metadata: MetaData) -> Table:
    """Declare the table of applied repeatable migrations."""
    return Table(
        "repeatable_migrations",
        metadata,
        Column("name", Text, primary_key=True),
        Column("checksum", Text, nullable=False, comment="SHA-256 of the statements, without comments and spacing."),
        Column("applied_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        comment="SQL files that migrate applies again when they change.",
    )


_table: Final = repeatable_migrations_table(MetaData())


@dataclass(frozen=True, slots=True)
class RepeatableMigration:
    """A SQL file whose statements replace what they made before.

    Attributes
    ----------
    name : str
        Key of the stored checksum.
    statements : tuple of str
        Executed in order.
    """

    name: str
    statements: tuple[str, ...]

    @classmethod
    def from_file(cls, name: str, path: Path) -> Self:
        """Read a file of ``-- name: x`` blocks, one statement each."""
        return cls(name, tuple(vars(load_queries(str(path), path.name)).values()))

    @property
    def checksum(self) -> str:
        """SHA-256 of the statements; comments and spacing do not count."""
        digest = hashlib.sha256()
        for statement in self.statements:
            digest.update(" ".join(_COMMENT.sub("", statement).split()).encode() + b"\0")
        return digest.hexdigest()

    def apply(self, connection: Connection) -> bool:
        """Run the statements unless they are applied already; return whether they were run."""
        applied = connection.execute(select(_table.c.checksum).where(_table.c.name == self.name)).scalar_one_or_none()
        if applied == self.checksum:
            return False
        for statement in self.statements:
            connection.exec_driver_sql(statement)
        row = insert(_table).values(name=self.name, checksum=self.checksum)
        connection.execute(
            row.on_conflict_do_update(
                index_elements=["name"], set_={"checksum": row.excluded.checksum, "applied_at": func.now()}
            )
        )
        return True
