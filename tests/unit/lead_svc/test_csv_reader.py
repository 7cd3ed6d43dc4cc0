import csv
import io
import random
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.lead_svc.spreadsheets import csv_reader
from services.lead_svc.spreadsheets import sheet as sheet_module
from services.lead_svc.spreadsheets.csv_reader import read_csv
from services.lead_svc.spreadsheets.row_errors import FileRejectedError
from services.lead_svc.spreadsheets.sheet import Sheet
from tests.fixtures.lead_files import csv_file

HEADER = ["first_name", "phone", "notes"]
ROWS = [["Zoë", "+14155552671", 'First, "maybe"\nthen; no'], ["Jürgen", "+4930123456", "a\tb|c"]]
TEXT = csv_file([HEADER, *ROWS]).decode()


def rows_of(sheet: Sheet) -> list[list[str]]:
    """The rows as texts trimmed, as an import trims them."""
    return [[(cell or "").strip() for cell in row] for row in sheet.cells.rows()]


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "windows-1252"],
)
def test_every_encoding_reads_the_same(encoding: str) -> None:
    sheet = read_csv(TEXT.encode(encoding))

    assert (sheet.headers, rows_of(sheet)) == (tuple(HEADER), ROWS)


def test_the_marks_of_windows_1252_are_read() -> None:
    assert rows_of(read_csv("notes,phone\n€ 5 – “yes”,1\n".encode("cp1252"))) == [["€ 5 – “yes”", "1"]]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
@pytest.mark.parametrize("end", ["", "\n"])
def test_every_separator_and_line_end_reads_the_same(separator: str, line_end: str, quoting: int, end: str) -> None:
    content = csv_file([HEADER, *ROWS], delimiter=separator, lineterminator=line_end, quoting=quoting)

    sheet = read_csv(content.rstrip(b"\r\n") + end.replace("\n", line_end).encode())

    assert (sheet.headers, rows_of(sheet), sheet.first_row) == (tuple(HEADER), ROWS, 2)


@pytest.mark.parametrize(
    ("text", "headers", "rows"),
    [
        pytest.param('"Last, first";phone\nDoe;1\n', ("Last, first", "phone"), [["Doe", "1"]], id="comma in a header"),
        pytest.param(
            "phone;a, b, c, d\n1;x\n", ("phone", "a, b, c, d"), [["1", "x"]], id="more commas than semicolons"
        ),
        pytest.param("phone\n+14155552671\n", ("phone",), [["+14155552671"]], id="one column"),
        pytest.param("phone\n1,5\n", ("phone",), None, id="a separator below one column"),
        pytest.param("sep=;\nphone;x,y\n1;2,3\n", ("phone", "x,y"), [["1", "2,3"]], id="separator line"),
        pytest.param('"sep=\t"\r\nphone\tx\r\n1\t2\r\n', ("phone", "x"), [["1", "2"]], id="quoted separator line"),
        pytest.param("SEP=:\nphone:x\n1:2\n", ("phone", "x"), [["1", "2"]], id="separator line for another separator"),
        pytest.param(
            'phone, name\n1, "Doe, John"\n', ("phone", "name"), [["1", "Doe, John"]], id="space before a quote"
        ),
        pytest.param('"a\nb","phone"\n1,2\n', ("a\nb", "phone"), [["1", "2"]], id="line end in a header"),
        pytest.param('phone,note\n1,5" pipe\n2,6"\n', ("phone", "note"), [["1", '5" pipe'], ["2", '6"']], id="inches"),
        pytest.param('phone,a\n"",\n', ("phone", "a"), [["", ""]], id="empty quotes"),
        pytest.param("phone,a,b\n1\n2,x\n", ("phone", "a", "b"), [["1", "", ""], ["2", "x", ""]], id="short rows"),
        pytest.param("phone,a\n1,x,,\n2,y, \n", ("phone", "a"), [["1", "x"], ["2", "y"]], id="empty cells too many"),
        pytest.param("phone,a,\n1,x,\n", ("phone", "a", ""), [["1", "x", ""]], id="empty header"),
        pytest.param("phone,phone\n1,2\n", ("phone", "phone"), [["1", "2"]], id="header twice"),
        pytest.param("", (), [], id="empty"),
        pytest.param("\n \r\n,,\n", (), [], id="blank"),
        pytest.param("phone,a", ("phone", "a"), [], id="header only"),
    ],
)
def test_tables_as_people_write_them(text: str, headers: Sequence[str], rows: list[list[str]] | None) -> None:
    sheet = read_csv(text.encode())

    assert sheet.headers == headers
    assert rows is None or (rows_of(sheet), sheet.errors) == (rows, ())


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_blank_lines_and_line_ends_in_cells_do_not_shift_row_numbers(line_end: str) -> None:
    lines = ["", "", "phone,notes", "1,a", "", '2,"b', "", 'c"', "3,d"]

    sheet = read_csv(line_end.join(lines).encode())

    numbered = {row: cells[0] for row, cells in enumerate(rows_of(sheet), start=sheet.first_row) if any(cells)}
    assert numbered == {4: "1", 6: "2", 7: "3"}


def test_every_row_with_too_many_cells_is_an_error() -> None:
    sheet = read_csv(b"phone,a\n1,x,y\n\n2,x\n3,,,z\n")

    assert [(error.row, error.code, error.message) for error in sheet.errors] == [
        (2, "too_many_cells", "Row 2 has 3 cells, but the header has 2"),
        (5, "too_many_cells", "Row 5 has 4 cells, but the header has 2"),
    ]


@pytest.mark.parametrize(
    ("content", "row", "message"),
    [
        (b'phone,a\n1,"x\n2,y\n', 2, "Row 2 cannot be read: a quoted cell is not closed"),
        (b'phone,a\n1,x\n\n2,"x"y\n', 4, "Row 4 cannot be read: there is text behind a closing quote"),
        (b'"phone,a\n1,x\n', 1, "Row 1 cannot be read: a quoted cell is not closed"),
        (b'\n\n"phone"x,a\n1,x\n', 3, "Row 3 cannot be read: there is text behind a closing quote"),
        (b"phone,a\n1,\0\n", None, "The file contains NUL characters"),
        ("phone,a\n1,\0\n".encode("utf-16"), None, "The file contains NUL characters"),
        (b"phone,a\n1,\x81\n", None, "The file's text encoding is not recognised; save it as UTF-8"),
        (b"\xff\xfep\0h\0o\0n\0e\0\n", None, "The file's text encoding is not recognised; save it as UTF-8"),
        (b"\xef\xbb\xbfphone\n\xff\n", None, "The file's text encoding is not recognised; save it as UTF-8"),
        (b"," * 1_000, None, "A file may have at most 1,000 columns"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_row(content: bytes, row: int | None, message: str) -> None:
    if content.startswith(b",,,"):
        content = b"phone" + content

    with pytest.raises(FileRejectedError) as rejection:
        read_csv(content)

    assert (rejection.value.message, rejection.value.errors[0].row) == (message, row)


def test_a_thousand_columns_are_read() -> None:
    header = [f"c{number}" for number in range(1_000)]

    sheet = read_csv(csv_file([header, header]))

    assert sheet.headers == tuple(header)
    assert rows_of(sheet) == [header]


@pytest.mark.parametrize("quote", ["", '"'])
def test_a_cell_of_five_megabytes_is_read(quote: str) -> None:
    long = "x" * 5_000_000

    sheet = read_csv(f"phone,notes\n1,{quote}{long}{quote}\n2,y\n".encode())

    assert rows_of(sheet) == [["1", long], ["2", "y"]]


cells = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12) | st.text(
    alphabet=',;\t|"\n\r x', max_size=6
)


@given(
    st.data(),
    st.integers(1, 5),
    st.sampled_from(csv_reader.SEPARATORS),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
@settings(max_examples=500)
def test_what_a_csv_writer_writes_is_read_back(
    data: st.DataObject, width: int, separator: str, line_end: str, encoding: str
) -> None:
    rows = data.draw(st.lists(st.lists(cells, min_size=width, max_size=width), max_size=8))
    header = ["phone", *(f"column {number}" for number in range(1, width))]

    if width == 1:
        separator = ","  # no cell has another separator
    # csv.writer quotes a line end only if it is one of its own, and never quotes spaces at the edges of a cell.
    whole = [csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]
    quoting = data.draw(st.sampled_from([csv.QUOTE_MINIMAL, *whole] if line_end == "\r\n" else whole))
    text = csv_file([header, *rows], delimiter=separator, lineterminator=line_end, quoting=quoting).decode()

    sheet = read_csv(text.encode(encoding))

    assert sheet.headers == tuple(header)
    assert rows_of(sheet) == [[cell.strip() for cell in row] for row in rows]


def snippets(alphabet: str) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from([*alphabet, '"a"', '""', ',"', '",', '"\n"', '\n"', "\r\n"]), max_size=30).map(
        "".join
    )


@given(snippets(',"\nax \r'), st.booleans())
@settings(max_examples=1_500)
def test_the_fast_reader_reads_what_the_exact_one_reads(text: str, crlf: bool) -> None:
    content = ("phone,x\n" + text).replace("\n", "\r\n" if crlf else "\n").encode()

    assert outcome(lambda: read_csv(content)) == outcome(lambda: exactly(content))


def test_the_fast_reader_reads_a_large_file_like_the_exact_one() -> None:
    choose = random.Random(7)
    pieces = ["a", "é", '"', ",", "\n", "\r\n", " x", "日本"]
    rows = [["".join(choose.choices(pieces, k=choose.randint(0, 9))) for _ in range(6)] for _ in range(20_000)]
    content = csv_file([["phone", "b", "c", "d", "e", "f"], *rows])

    assert outcome(lambda: csv_reader._read_fast(content, csv_reader._dialect(content, (",",)), 0)) == outcome(
        lambda: exactly(content)
    )


def exactly(content: bytes) -> Sheet:
    return csv_reader._read_exact(content, csv_reader._dialect(content, csv_reader.SEPARATORS), 0)


def outcome(reading: Callable[[], Sheet]) -> tuple[object, ...]:
    try:
        sheet = reading()
    except FileRejectedError as rejection:
        return rejection.errors
    return sheet.headers, rows_of(sheet), sheet.first_row, sheet.errors


def test_a_file_of_many_chunks_is_read_like_a_small_one() -> None:
    text = io.StringIO()
    text.write("phone,notes\n")
    for number in range(60_000):
        text.write(f'{number},"line\nbreak, ""{number}"""\n')

    sheet = read_csv(text.getvalue().encode())

    assert sheet.cells["0"].to_list() == [str(number) for number in range(60_000)]
    assert sheet.cells["1"].to_list() == [f'line\nbreak, "{number}"' for number in range(60_000)]


@pytest.mark.parametrize("line", ["1\n", "1\r"], ids=["read by polars", "read by csv"])
def test_short_rows_under_a_wide_header_are_rejected_before_they_fill_the_memory(
    line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fails when every missing cell gets its place: a file of 10 MB would take 80 GB."""
    monkeypatch.setattr(csv_reader, "MAX_TEXT_CELLS", 300_000)
    monkeypatch.setattr(sheet_module, "MAX_TEXT_CELLS", 300_000)
    header = ",".join(["phone", *(f"c{number}" for number in range(999))])

    with pytest.raises(FileRejectedError, match="are more than 300,000 cells"):
        read_csv((header + line[1:] + line * 400).encode())
