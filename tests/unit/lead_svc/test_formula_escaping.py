"""Removal of the apostrophe that an export puts before a formula."""

import polars as pl
import pytest

from services.lead_svc.spreadsheets.formula_unescaping import unescape_cells


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("'=1+1", "=1+1"),
        ("'+1", "+1"),
        ("'-1", "-1"),
        ("'@SUM(A1)", "@SUM(A1)"),
        ("'\tx", "\tx"),
        ("'\rx", "\rx"),
        ("''=1+1", "'=1+1"),
        ("'''-", "''-"),
        ("'quoted'", "'quoted'"),
        ("'tis", "'tis"),
        ("'", "'"),
        ("x'=1", "x'=1"),
        ("=1+1", "=1+1"),
        ("\n'=1", "\n'=1"),
        (None, None),
    ],
)
def test_exactly_one_apostrophe_before_a_formula_is_removed(cell: str | None, text: str | None) -> None:
    cells = pl.DataFrame({"0": ["plain", cell], "1": ["'", "=1"]}, schema={"0": pl.String, "1": pl.String})

    assert unescape_cells(cells).rows() == [("plain", "'"), (text, "=1")]


def test_cells_without_apostrophes_are_not_copied() -> None:
    cells = pl.DataFrame({"0": ["=1", "x"], "1": [None, "y"]})

    assert unescape_cells(cells) is cells


@pytest.mark.parametrize("cells", [pl.DataFrame(), pl.DataFrame({"0": []}, schema={"0": pl.String})])
def test_a_table_without_cells_stays_as_it_is(cells: pl.DataFrame) -> None:
    assert unescape_cells(cells).equals(cells)
