"""Rows of COPY written as a workbook, and read back with the reader of imports."""

import io

import fastexcel
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.lead_svc.exports.workbook import LineBuffer
from services.lead_svc.spreadsheets import xlsx_writer
from services.lead_svc.spreadsheets.xlsx_rows import MAX_CELL_CHARACTERS, CellTooLongError, RowEncoder
from services.lead_svc.spreadsheets.xlsx_writer import XlsxWriter

SEPARATOR = "\x1f"
ESCAPES = {"\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}


def copied(*cells: str | None) -> bytes:
    """A row as PostgreSQL writes it in COPY's text format."""
    escapes = str.maketrans(ESCAPES | {SEPARATOR: f"\\{SEPARATOR}"})
    return SEPARATOR.join((cell or "").translate(escapes) for cell in cells).encode()


def book_of(lines: list[bytes]) -> bytes:
    """A workbook with a column of texts and one of numbers."""
    content = io.BytesIO()
    book = XlsxWriter(content, "Leads", ("text", "number"), RowEncoder([False, True], SEPARATOR.encode()))
    book.add(lines)
    book.close()
    return content.getvalue()


def read_back(content: bytes) -> list[list[tuple[str | None, str | None]]]:
    """The rows of every sheet, below its header."""
    book = fastexcel.read_excel(content)
    sheets = [book.load_sheet(name, header_row=0, dtypes="string").to_polars() for name in book.sheet_names]
    assert all(sheet.columns == ["text", "number"] for sheet in sheets)
    return [sheet.rows() for sheet in sheets]


# Characters that XML cannot contain are read as Excel writes them, so they are not among these.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufffe\uffff"), min_size=1)
nasty = st.lists(
    st.one_of(
        texts, st.sampled_from(["&", "<", ">", "_x000D_", "\\N", "\\.", "\r\n", SEPARATOR, "=1+1", " ", "😀", "]]>"])
    )
).map("".join)


@given(st.lists(st.tuples(nasty, st.integers(0, 10**14)), min_size=1, max_size=5))
def test_every_text_comes_back(rows: list[tuple[str, int]]) -> None:
    [sheet] = read_back(book_of([copied(text, str(number)) for text, number in rows]))

    assert [(text or "", number) for text, number in sheet] == [(text, str(number)) for text, number in rows]


def test_a_formula_is_a_text_and_a_number_is_a_number() -> None:
    xml = RowEncoder([False, True], b"\x1f").encode([copied("=1+1", "12.50")], 2)

    assert xml == (b'<row><c t="inlineStr"><is><t xml:space="preserve">=1+1</t></is></c><c><v>12.50</v></c></row>')


def test_null_is_an_empty_cell() -> None:
    assert RowEncoder([False, True], b"\x1f").encode([copied(None, None)], 2) == b"<row><c/><c/></row>"


def test_a_character_that_xml_cannot_contain_is_written_as_excel_does() -> None:
    assert b"a_x0001_b_x005F_x0001__xFFFE_" in RowEncoder([False], b"\x1f").encode([copied("a\x01b_x0001_\ufffe")], 2)


@pytest.mark.parametrize("character", ["x", "\n", "\\", "&", "é"])
def test_the_longest_text_fits(character: str) -> None:
    [[(text, _)]] = read_back(book_of([copied(character * MAX_CELL_CHARACTERS, "1")]))

    assert text == character * MAX_CELL_CHARACTERS


@pytest.mark.parametrize("text", ["x" * (MAX_CELL_CHARACTERS + 1), "\n" * (MAX_CELL_CHARACTERS + 1), "😀" * 16_384])
def test_a_longer_text_is_refused_by_row_and_column(text: str) -> None:
    rows = RowEncoder([False, False], b"\x1f")

    with pytest.raises(CellTooLongError) as error:
        rows.encode([copied("short", "short"), copied("short", text)], 10)

    assert (error.value.row, error.value.column) == (11, 2)


def test_rows_beyond_the_end_of_a_sheet_are_in_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx_writer, "MAX_ROWS", 4)

    sheets = read_back(book_of([copied(f"row {number}", str(number)) for number in range(8)]))

    assert [len(sheet) for sheet in sheets] == [3, 3, 2]
    assert [text for sheet in sheets for text, _ in sheet] == [f"row {number}" for number in range(8)]


def test_a_full_sheet_is_not_followed_by_an_empty_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx_writer, "MAX_ROWS", 4)

    assert [len(sheet) for sheet in read_back(book_of([copied("x", "1")] * 3))] == [3]


@given(
    st.lists(st.binary(max_size=5).map(lambda line: line.replace(b"\n", b"")), max_size=10),
    st.integers(1, 7),
    st.data(),
)
def test_lines_are_whole_wherever_the_pieces_end(lines: list[bytes], enough: int, data: st.DataObject) -> None:
    text = b"".join(line + b"\n" for line in lines)
    collector = LineBuffer(enough)
    got: list[bytes] = []
    while text:
        cut = data.draw(st.integers(1, len(text)))
        got += collector.add(text[:cut])
        text = text[cut:]

    assert got + collector.remaining_lines() == lines
