import pytest

from services.lead_svc.spreadsheets import sheet as sheet_module
from services.lead_svc.spreadsheets.json_reader import read_json
from services.lead_svc.spreadsheets.row_errors import FileRejectedError


def test_json_leads_are_rows_of_an_array() -> None:
    sheet = read_json(b'[{"city": " Oslo ", "tags": ["a"]}, {}, {"phone": "1", "priority": 1, "id": 5}]')

    assert sheet.headers == ("phone", "city", "tags", "priority")
    assert sheet.cells.rows() == [(None, "Oslo", '["a"]', None), (None, None, None, None), ("1", None, None, "1")]
    assert [(error.row, error.field, error.message) for error in sheet.errors] == [(2, "id", "Unknown field: id")]
    assert (sheet.first_row, sheet.row_label(2)) == (0, "leads.2")


def test_short_leads_after_a_long_one_are_rejected_before_they_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails when every missing field gets its place: an array of 10 MB would take 3 GB."""
    monkeypatch.setattr(sheet_module, "MAX_TEXT_CELLS", 8)

    assert read_json(b'[{"phone": "1", "city": "Oslo"}, {}, {}, {}]').cells.shape == (4, 2)
    with pytest.raises(FileRejectedError, match="4 rows of 3 columns are more than 8 cells"):
        read_json(b'[{"phone": "1", "city": "Oslo", "state": "Oslo"}, {}, {}, {}]')
