import pytest

from services.lead_svc.spreadsheets import sheet as sheet_module
from services.lead_svc.spreadsheets.json_reader import read_json
from services.lead_svc.spreadsheets.row_errors import FileRejectedError


def test_short_leads_after_a_long_one_are_rejected_before_they_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails when every missing field gets its place: an array of 10 MB would take 3 GB."""
    monkeypatch.setattr(sheet_module, "MAX_TEXT_CELLS", 8)

    assert read_json(b'[{"phone": "1", "city": "Oslo"}, {}, {}, {}]').cells.shape == (4, 2)
    with pytest.raises(FileRejectedError, match="4 rows of 3 columns are more than 8 cells"):
        read_json(b'[{"phone": "1", "city": "Oslo", "state": "Oslo"}, {}, {}, {}]')
