"""Taking away the apostrophe that an export has put in front."""

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
def test_exactly_one_apostrophe_in_front_of_a_formula_goes(cell: str | None, text: str | None) -> None:
    cells = pl.DataFrame({"0": ["plain", cell], "1": ["'", "=1"]}, schema={"0": pl.String, "1": pl.String})

    assert unescape_cells(cells).rows() == [("plain", "'"), (text, "=1")]


def test_cells_without_apostrophes_are_not_even_copied() -> None:
    cells = pl.DataFrame({"0": ["=1", "x"], "1": [None, "y"]})

    assert unescape_cells(cells) is cells


@pytest.mark.parametrize("cells", [pl.DataFrame(), pl.DataFrame({"0": []}, schema={"0": pl.String})])
def test_no_cells_stay_no_cells(cells: pl.DataFrame) -> None:
    assert unescape_cells(cells).equals(cells)
