"""The options of an import decide what happens to rows; without servers."""

import csv
import io
from typing import Any

import fastexcel
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.lead_svc.domain.fields import FIELD_BY_NAME
from services.lead_svc.imports.api.spreadsheet_file import MAX_CELL_LENGTH, parse_stored_rows, to_csv, to_workbook
from services.lead_svc.imports.api.template import EXAMPLE, template_rows
from services.lead_svc.imports.options import (
    ImportOptions,
    InvalidOptionError,
    OnDuplicate,
    OnError,
    parse_choice,
    parse_column_map,
)
from services.lead_svc.imports.records import StoredLead
from services.lead_svc.imports.validation.failed_rows import MAX_FAILED_CELLS, MAX_FAILED_ROWS
from services.lead_svc.imports.validation.validator import ValidLeads, check_rows, resolve_rows, validate_rows
from services.lead_svc.spreadsheets.csv_reader import read_csv
from services.lead_svc.spreadsheets.file_kind import FileKind
from services.lead_svc.spreadsheets.formula_escaping import escape
from services.lead_svc.spreadsheets.formula_unescaping import unescape_cells
from services.lead_svc.spreadsheets.header import ERRORS_HEADER, match_columns, strip_header
from services.lead_svc.spreadsheets.reader import read_sheet
from services.lead_svc.spreadsheets.row_errors import FileRejectedError, RowError
from services.lead_svc.spreadsheets.sheet import Sheet
from shared.ids import LeadId
from tests.fixtures.lead_files import csv_file

PHONES = [f"+1415555010{number}" for number in range(10)]


def resolved(content: str, *, stored: dict[str, StoredLead] | None = None, **options: Any) -> ValidLeads:
    """Resolve the rows of a file."""
    import_options = ImportOptions(**options)
    return resolve_rows(
        check_rows(read_csv(content.encode()), {}, row_limit=None, options=import_options), import_options, stored or {}
    )


def lead(number: int, status: str = "pending") -> StoredLead:
    """A stored lead of the campaign, with the phone number at this position of `PHONES`."""
    return StoredLead(LeadId(100 + number), PHONES[number], status)


def outcome(
    rows: list[tuple[int, bool]], stored: set[int], on_duplicate: OnDuplicate
) -> tuple[list[str], list[str], int]:
    """The numbers created and updated, and the number of rows skipped, by the documented rule applied row by row."""
    created: list[str] = []
    updated: list[str] = []
    skipped = 0
    for number, good in rows:
        phone = PHONES[number]
        if not good:
            skipped += 1
        elif on_duplicate is OnDuplicate.CREATE:
            created.append(phone)
        elif number in stored:
            if on_duplicate is OnDuplicate.UPDATE:
                updated += [] if phone in updated else [phone]
            else:
                skipped += 1
        elif phone in created:
            skipped += on_duplicate is not OnDuplicate.UPDATE
        else:
            created.append(phone)
    return created, updated, skipped


@given(
    rows=st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=12),
    stored=st.sets(st.integers(0, 5)),
    on_duplicate=st.sampled_from(OnDuplicate),
)
def test_rows_are_created_updated_and_skipped_by_the_options(
    rows: list[tuple[int, bool]], stored: set[int], on_duplicate: OnDuplicate
) -> None:
    content = csv_file([["phone", "email"], *([PHONES[number], "" if good else "x"] for number, good in rows)]).decode()
    known = {PHONES[number]: lead(number) for number in stored}
    created, updated, skipped = outcome(rows, stored, on_duplicate)

    if not any(good for _, good in rows) or (on_duplicate is OnDuplicate.ERROR and not created):
        with pytest.raises(FileRejectedError, match="No valid leads found in the file"):
            resolved(content, stored=known, on_error=OnError.SKIP, on_duplicate=on_duplicate)
        return
    valid = resolved(content, stored=known, on_error=OnError.SKIP, on_duplicate=on_duplicate)

    assert valid.frame["phone"].to_list() == created
    assert (valid.updates["phone"].to_list() if valid.updates is not None else []) == updated
    assert (valid.row_count, valid.skipped_count) == (len(rows), skipped)


def test_a_status_without_allowed_transitions_does_not_change() -> None:
    content = f"phone,status\n{PHONES[0]},pending\n{PHONES[1]},failed\n{PHONES[0]},\n"

    with pytest.raises(FileRejectedError) as rejection:
        resolved(
            content,
            stored={PHONES[0]: lead(0, "blacklisted"), PHONES[1]: lead(1)},
            on_duplicate=OnDuplicate.UPDATE,
        )

    message = "Status cannot change from blacklisted to pending"
    assert rejection.value.errors == (RowError(2, "status", "pending", "status_not_allowed", message),)


def test_errors_of_the_file_and_its_rows_are_reported_together() -> None:
    with pytest.raises(FileRejectedError) as rejection:
        validate_rows(read_csv(b"email,a,a\nnobody,1,2\n"), {"priority": 9, "shoe": 1}, row_limit=None)

    assert [(error.row, error.code) for error in rejection.value.errors] == [
        (None, "missing"),
        (None, "duplicate_column"),
        (None, "out_of_range"),
        (None, "unknown_default"),
        (2, "invalid_email"),
    ]


def test_the_errors_column_is_ignored_only_as_the_last_column() -> None:
    assert match_columns(["phone", "x", ERRORS_HEADER]).extras == {"x": 1}
    assert match_columns(["phone", "x", ERRORS_HEADER]).errors_column == 2
    assert match_columns(["phone", ERRORS_HEADER, "x"]).extras == {ERRORS_HEADER: 1, "x": 2}
    assert match_columns(["phone", "Errors"]).extras == {"Errors": 1}
    assert match_columns(["phone", ERRORS_HEADER], {ERRORS_HEADER: "notes"}).fields == {"phone": 0, "notes": 1}


def test_failed_rows_do_not_accumulate_errors_of_earlier_imports() -> None:
    with pytest.raises(FileRejectedError) as rejection:
        resolved("phone,errors\n12,phone: something old\n")

    assert rejection.value.error_summary.failed_rows == b"phone,errors\r\n12,phone: Invalid phone number format: 12\r\n"


@pytest.mark.parametrize(("columns", "limit"), [(2, MAX_FAILED_ROWS), (50, MAX_FAILED_CELLS // 50)])
def test_failed_rows_have_a_limit(columns: int, limit: int) -> None:
    header = ",".join(["phone", *(f"c{number}" for number in range(1, columns))])

    with pytest.raises(FileRejectedError) as rejection:
        resolved(f"{header}\n" + f"1{',' * (columns - 1)}\n" * (limit + 5))

    assert rejection.value.total == limit + 5
    assert rejection.value.error_summary.failed_rows is not None
    assert sum(1 for _ in parse_stored_rows(rejection.value.error_summary.failed_rows)) == limit + 1


@pytest.mark.parametrize("text", ["x" * 40_000, "🎉" * 20_000, "'=" + "x" * 40_000])
def test_a_text_longer_than_a_cell_is_truncated(text: str) -> None:
    book = fastexcel.read_excel(to_workbook([["notes"], [text]]))

    [[_header], [cell]] = book.load_sheet(0, header_row=None, dtypes="string").to_polars().rows()
    assert len(cell.encode("utf-16-le")) // 2 in {MAX_CELL_LENGTH, MAX_CELL_LENGTH - 1}
    assert ("'" + text if text.startswith("'") else text).startswith(cell)


@given(st.lists(st.lists(st.text(alphabet="'=+-@\t\raä,;\"\n ", max_size=4), min_size=2, max_size=2), min_size=1))
def test_no_cell_of_a_csv_is_a_formula_and_an_import_restores_every_cell(rows: list[list[str]]) -> None:
    content = to_csv(rows).decode("utf-8-sig")
    read = list(csv.reader(io.StringIO(content, newline="")))

    assert not [cell for row in read for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    frame = pl.DataFrame(read, schema=["0", "1"], orient="row")
    assert [list(row) for row in unescape_cells(frame).rows()] == rows


edges = st.text(alphabet="'=+-@\t\rä,;\"\n 1", max_size=4)
headers = st.lists(edges.map(lambda text: f"{text}h"), min_size=2, max_size=2, unique_by=strip_header)


@given(
    headers,
    st.lists(st.lists(edges, min_size=2, max_size=2), min_size=1, max_size=5),
    st.sampled_from([FileKind.CSV, FileKind.XLSX]),
)
@settings(deadline=None)
def test_failed_rows_are_read_unchanged(header: list[str], rows: list[list[str]], kind: FileKind) -> None:
    table = [["phone", *header, "q"], *(["12", *row, "q"] for row in rows)]
    content = csv_file([[escape(cell) for cell in row] for row in table])
    sheet = read_sheet(content, FileKind.CSV)
    with pytest.raises(FileRejectedError) as rejection:
        validate_rows(sheet, {}, row_limit=None)
    assert rejection.value.error_summary.failed_rows is not None

    write = to_csv if kind is FileKind.CSV else to_workbook
    again = read_sheet(write(parse_stored_rows(rejection.value.error_summary.failed_rows)), kind)

    assert [strip_header(cell) for cell in again.headers] == [*map(strip_header, sheet.headers), "errors"]
    assert _trimmed(again) == _trimmed(sheet)


def _trimmed(sheet: Sheet) -> list[list[str]]:
    return [[(cell or "").strip() for cell in row[:4]] for row in sheet.cells.rows()]  # without the errors


def test_options_are_parsed_by_name() -> None:
    assert parse_choice(OnError, "on_error", "skip") is OnError.SKIP
    assert parse_column_map({"a": "phone"}) == {"a": "phone"}
    for value in (None, 1, ["skip"], "SKIP", ""):
        with pytest.raises(InvalidOptionError, match="on_error must be abort or skip"):
            parse_choice(OnError, "on_error", value)


def test_the_template_has_known_columns_only() -> None:
    header, example = template_rows()
    assert set(header) <= FIELD_BY_NAME.keys()
    [row] = validate_rows(read_csv(csv_file([header, example])), {}, row_limit=None).frame.to_dicts()
    assert row["phone"] == EXAMPLE["phone"]
