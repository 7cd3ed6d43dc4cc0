"""Rows of a file with their converted columns."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import compress

import polars as pl

from services.lead_svc.spreadsheets.table import Table
from services.lead_svc.values.from_columns import ConvertedColumn


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of a table, and the values of the fields whose text is not already their value, by field."""

    table: Table
    converted: Mapping[str, ConvertedColumn]

    @property
    def phones(self) -> pl.Series:
        """The normalised phone number of each row; null where the row has none."""
        phones = self.converted.get("phone")
        return phones.values if phones is not None else pl.Series([None] * len(self.table.rows), dtype=pl.String)

    def filter(self, is_included: pl.Series) -> "Rows":
        """Return the rows for which `is_included` is true."""
        if is_included.all():
            return self
        numbers = list(compress(self.table.rows, is_included))
        return Rows(
            Table(self.table.cells.filter(is_included), numbers, self.table.max_bytes),
            {
                name: ConvertedColumn(
                    column.values.filter(is_included),
                    extensions=column.extensions.filter(is_included) if column.extensions is not None else None,
                )
                for name, column in self.converted.items()
            },
        )

    def merge_by_phone(self) -> "Rows":
        """Return one row per phone number, in the place of its first row, with the last filled cell of each column."""
        is_first = self.phones.is_first_distinct()
        if is_first.all():
            return self
        cells, converted = self.table.cells, self.converted
        columns = {f"cell {name}": cells[name] for name in cells.columns}
        columns |= {f"value {name}": column.values for name, column in converted.items()}
        columns |= {
            f"extension {name}": column.extensions
            for name, column in converted.items()
            if column.extensions is not None
        }
        merged = (
            pl.DataFrame({**columns, "number": self.phones})
            .group_by("number", maintain_order=True)
            .agg(pl.all().drop_nulls().last())
        )
        return Rows(
            Table(
                merged.select(pl.col(f"cell {name}").alias(name) for name in cells.columns),
                list(compress(self.table.rows, is_first)),
                self.table.max_bytes,
            ),
            {
                name: ConvertedColumn(
                    merged[f"value {name}"],
                    extensions=merged[f"extension {name}"] if column.extensions is not None else None,
                )
                for name, column in converted.items()
            },
        )
