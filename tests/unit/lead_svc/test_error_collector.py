import polars as pl

from services.lead_svc.spreadsheets.error_collector import RowErrorCollector
from services.lead_svc.spreadsheets.row_errors import RowError


def test_errors_have_the_rows_of_their_cells() -> None:
    collector = RowErrorCollector([2, 3, 7, 9])
    texts = pl.Series(["a", "b", "c", "d"])

    collector.add(5, RowError(7, "x", None, "code", "first"))
    collector.add(5, RowError(5, None, None, "code", "of a blank row"))
    collector.add_cells(1, "y", pl.Series([False, True, True, False]), texts, "code", lambda text: f"not {text}")

    assert collector.rows_with_errors().to_list() == [False, True, True, False]
    assert collector.messages([1, 2]) == ["y: not b", "y: not c; x: first"]
    assert (collector.total, list(collector.unreadable_rows), collector.has_file_errors) == (4, [5], False)
    assert [error.row for error in collector.errors()] == [3, 5, 7, 7]
    collector.add_unlisted(1)
    assert (collector.total, collector.has_file_errors) == (5, True)
