"""The query of an export, limited to one company. PostgreSQL writes the rows of the file, the service passes them on.

A COPY is one statement, so the rows are those of one snapshot, however long the client takes to read.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.lead_svc.domain.fields import Field, Kind
from services.lead_svc.exports.file_format import COLUMNS
from services.lead_svc.spreadsheets.formula_escaping import escape_sql, escape_text_cell_sql, is_phone_number_sql
from shared.database.engine import driver_connection
from shared.ids import CompanyId

CELL_SEPARATOR: Final = "\x1f"
"""The character between the cells of a row in `copy_cells`."""

Output = Callable[[bytes], Awaitable[None]]
"""Takes the next piece; PostgreSQL waits until it returns."""


@dataclass(frozen=True, slots=True)
class ExportFilter:
    """The leads of an export; None selects any value. `created_from` is included, `created_before` is not."""

    company_id: CompanyId
    campaign_ids: tuple[int, ...] | None = None
    status: str | None = None
    created_from: datetime | None = None
    created_before: datetime | None = None

    def conditions(self) -> tuple[str, list[object]]:
        """Return the filter as SQL, and its parameters."""
        filters: list[tuple[str, object]] = [
            ("company_id = ", self.company_id),
            ("status = ", self.status),
            ("created_at >= ", self.created_from),
            ("created_at < ", self.created_before),
        ]
        if self.campaign_ids is not None and len(self.campaign_ids) == 1:
            # An equality, so that the index on campaign and id returns the leads in order; a list of one does not.
            filters.append(("campaign_id = ", self.campaign_ids[0]))
        elif self.campaign_ids is not None:
            filters.append(("campaign_id = ANY ", [*self.campaign_ids]))
        used = [(condition, value) for condition, value in filters if value is not None]
        numbered = [f"{condition}(${number})" for number, (condition, _) in enumerate(used, start=1)]
        return " AND ".join(numbered), [value for _, value in used]


# The characters that Python and polars trim: an import would remove them from the edges of a tag.
_SPACE: Final = r"\u0009-\u000d\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
# `tags` may be any JSON; an import reads back only a list of texts that are trimmed and not empty.
_TAG_LIST: Final = f"""
    CASE WHEN custom_fields ? 'tags' THEN
        CASE WHEN jsonb_typeof(custom_fields -> 'tags') = 'array' AND NOT custom_fields @?
            'strict $.tags[*] ? (@.type() != "string" || @ like_regex "^[{_SPACE}]|[{_SPACE}]$|^$")'
        THEN custom_fields ->> 'tags' END
    END"""
_OTHER_CUSTOM_FIELDS: Final = """
    CASE WHEN custom_fields = '{}' THEN NULL
         WHEN tag_list IS NULL THEN custom_fields::text
         ELSE nullif(custom_fields - 'tags', '{}')::text END"""


def _cell(column: Field, escape: Callable[[str], str]) -> str:
    if column.name == "tags":
        return "tag_list"
    match column.kind:
        case Kind.OBJECT:
            return _OTHER_CUSTOM_FIELDS
        case Kind.TEXT | Kind.EMAIL:
            return escape(column.name)
        case Kind.PHONE:
            return f"CASE WHEN {is_phone_number_sql(column.name)} THEN {column.name} ELSE {escape(column.name)} END"
    return column.name


def _all_cells(escape: Callable[[str], str]) -> str:
    return ", ".join(f"{_cell(column, escape)} AS {column.name}" for column in COLUMNS)


_CSV: Final = _all_cells(escape_sql)
_CELLS: Final = _all_cells(escape_text_cell_sql)


# A client may read slowly, and must not occupy more of the server than its connection in the meantime.
_NO_TIMEOUT_NO_PARALLEL_WORKERS: Final = text(
    "SELECT set_config('statement_timeout', '0', true), set_config('max_parallel_workers_per_gather', '0', true)"
)


async def copy_csv(connection: AsyncConnection, filters: ExportFilter, output: Output) -> None:
    """The leads in the order of their ids as CSV with a header, formulas escaped."""
    await _copy(connection, _CSV, filters, output, format="csv", header=True)


async def copy_cells(connection: AsyncConnection, filters: ExportFilter, output: Output) -> None:
    """Copy the leads in the order of their ids, one per line: cells escaped by COPY, with `CELL_SEPARATOR` between."""
    await _copy(connection, _CELLS, filters, output, format="text", delimiter=CELL_SEPARATOR, null="")


async def _copy(connection: AsyncConnection, cells: str, filters: ExportFilter, output: Output, **form: Any) -> None:  # noqa: ANN401
    await connection.execute(_NO_TIMEOUT_NO_PARALLEL_WORKERS)
    driver = await driver_connection(connection)
    conditions, parameters = filters.conditions()
    # OFFSET 0 keeps PostgreSQL from computing the list of tags again wherever it is used.
    found = f"SELECT *, {_TAG_LIST} AS tag_list FROM leads WHERE {conditions} ORDER BY id OFFSET 0"
    query = f"SELECT {cells} FROM ({found}) AS found"
    await driver.copy_from_query(query, *parameters, output=output, encoding="utf-8", **form)
