"""The one query of an export, limited to a company. PostgreSQL writes the file's rows, and the service passes them on.

A COPY is one statement and so sees one state of the leads, however long its reader takes.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.lead_svc.domain.fields import Field, Kind
from services.lead_svc.exports.columns import COLUMNS
from services.lead_svc.spreadsheets.formula_escaping import escape_sql, escape_text_cell_sql, is_phone_number_sql
from shared.database.engine import driver_connection

CELL_END: Final = "\x1f"
"""Between the cells of a row in `copy_cells`."""

Output = Callable[[bytes], Awaitable[None]]
"""Takes the next piece; PostgreSQL waits until it has."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which leads are exported; None does not narrow. `created_from` is included, `created_before` is not."""

    company_id: int
    campaign_ids: tuple[int, ...] | None = None
    status: str | None = None
    created_from: datetime | None = None
    created_before: datetime | None = None

    def conditions(self) -> tuple[str, list[object]]:
        """The conditions as SQL, and their parameters."""
        asked: list[tuple[str, object]] = [
            ("company_id = ", self.company_id),
            ("status = ", self.status),
            ("created_at >= ", self.created_from),
            ("created_at < ", self.created_before),
        ]
        if self.campaign_ids is not None:
            # One campaign is the beginning of an index that gives its leads in their order; a list of one is not.
            one = len(self.campaign_ids) == 1
            asked.append(
                ("campaign_id = ", self.campaign_ids[0]) if one else ("campaign_id = ANY ", [*self.campaign_ids])
            )
        narrowing = [(condition, value) for condition, value in asked if value is not None]
        placed = [f"{condition}(${number})" for number, (condition, _) in enumerate(narrowing, start=1)]
        return " AND ".join(placed), [value for _, value in narrowing]


# What Python and polars trim: a tag that has it at an edge would come back without.
_SPACE: Final = r"\u0009-\u000d\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
# Anything may be stored as tags; an import reads a list of texts that are trimmed and not empty, and nothing else.
_LIST_OF_TAGS: Final = f"""
    CASE WHEN custom_fields ? 'tags' THEN
        CASE WHEN jsonb_typeof(custom_fields -> 'tags') = 'array' AND NOT custom_fields @?
            'strict $.tags[*] ? (@.type() != "string" || @ like_regex "^[{_SPACE}]|[{_SPACE}]$|^$")'
        THEN custom_fields ->> 'tags' END
    END"""
_OTHER_CUSTOM_FIELDS: Final = """
    CASE WHEN custom_fields = '{}' THEN NULL
         WHEN list_of_tags IS NULL THEN custom_fields::text
         ELSE nullif(custom_fields - 'tags', '{}')::text END"""


def _cell(column: Field, harmless: Callable[[str], str]) -> str:
    if column.name == "tags":
        return "list_of_tags"
    match column.kind:
        case Kind.OBJECT:
            return _OTHER_CUSTOM_FIELDS
        case Kind.TEXT | Kind.EMAIL:
            return harmless(column.name)
        case Kind.PHONE:
            return f"CASE WHEN {is_phone_number_sql(column.name)} THEN {column.name} ELSE {harmless(column.name)} END"
    return column.name


def _all_cells(harmless: Callable[[str], str]) -> str:
    return ", ".join(f"{_cell(column, harmless)} AS {column.name}" for column in COLUMNS)


_CSV: Final = _all_cells(escape_sql)
_CELLS: Final = _all_cells(escape_text_cell_sql)


# A reader may take as long as it likes, and meanwhile must hold no more of the server than its own connection.
_UNHURRIED: Final = text(
    "SELECT set_config('statement_timeout', '0', true), set_config('max_parallel_workers_per_gather', '0', true)"
)


async def copy_csv(connection: AsyncConnection, wanted: Wanted, output: Output) -> None:
    """The leads in the order of their ids as CSV with a header, formulas escaped."""
    await _copy(connection, _CSV, wanted, output, format="csv", header=True)


async def copy_cells(connection: AsyncConnection, wanted: Wanted, output: Output) -> None:
    """The leads in the order of their ids, a line each: cells as COPY escapes them, with `CELL_END` between them."""
    await _copy(connection, _CELLS, wanted, output, format="text", delimiter=CELL_END, null="")


async def _copy(connection: AsyncConnection, cells: str, wanted: Wanted, output: Output, **form: Any) -> None:  # noqa: ANN401
    await connection.execute(_UNHURRIED)
    driver = await driver_connection(connection)
    conditions, parameters = wanted.conditions()
    # Without OFFSET 0 the list of tags would be put in wherever it is named, and made as often.
    found = f"SELECT *, {_LIST_OF_TAGS} AS list_of_tags FROM leads WHERE {conditions} ORDER BY id OFFSET 0"
    query = f"SELECT {cells} FROM ({found}) AS found"
    await driver.copy_from_query(query, *parameters, output=output, encoding="utf-8", **form)
