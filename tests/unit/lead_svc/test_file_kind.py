import io
import zipfile

import pytest

from services.lead_svc.spreadsheets.file_kind import FileKind, identify_file_kind
from services.lead_svc.spreadsheets.row_errors import FileRejectedError
from tests.fixtures.lead_files import OLD_WORKBOOK, archive_of, binary_workbook, csv_file, workbook

ROWS = [["phone"], ["+14155552671"]]
CSV = csv_file(ROWS)
XLSX = workbook(ROWS)
XLSB = binary_workbook(ROWS)
XLS = OLD_WORKBOOK.read_bytes()


@pytest.mark.parametrize("filename", ["leads.csv", "LEADS.XLSX", "my leads.2024.xls", " leads.Csv "])
@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (CSV, FileKind.CSV),
        (b"", FileKind.CSV),
        (b"\xef\xbb\xbf" + CSV, FileKind.CSV),
        (CSV.decode().encode("utf-16"), FileKind.CSV),
        (CSV.decode().encode("utf-16-le"), FileKind.CSV),
        (CSV.decode().encode("utf-16-be"), FileKind.CSV),
        ("Téléphone;Prénom\n".encode("cp1252"), FileKind.CSV),
        (XLSX, FileKind.XLSX),
        (XLSB, FileKind.XLSB),
        (XLS, FileKind.XLS),
    ],
)
def test_the_content_decides_what_a_file_is(filename: str, content: bytes, kind: FileKind) -> None:
    assert identify_file_kind(filename, content) is kind


@pytest.mark.parametrize(
    "filename", ["leads.txt", "leads", "csv", ".csv", "leads.csv.exe", "leads.xlsm.pdf", "leads.ods", ""]
)
@pytest.mark.parametrize("content", [CSV, XLSX, XLS])
def test_a_name_that_is_not_of_csv_or_excel_is_refused(filename: str, content: bytes) -> None:
    assert rejection(filename, content) == "Invalid file type. Only CSV and Excel files are allowed."


@pytest.mark.parametrize("filename", ["leads.csv", "leads.xlsx", "leads.xls"])
@pytest.mark.parametrize(
    "content",
    [
        b"%PDF-1.7\nphone,name",
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
        b"GIF89a\x01\x00\x01\x00",
        b"\xff\xd8\xff\xe0\x00\x10JFIF",
        b"\x1f\x8b\x08\x00\x00\x00",
        b"{\\rtf1\\ansi phone}",
        b"<html><table><tr><td>phone</td></tr></table></html>",
        b"\xef\xbb\xbf  <!DOCTYPE html>",
        b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>',
        b'{"phone": "+14155552671"}',
        b'[{"phone": "+14155552671"}]',
        archive_of({"word/document.xml": b"<document/>"}),
        archive_of({"content.xml": b"", "mimetype": b"application/vnd.oasis.opendocument.spreadsheet"}),
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 512 + "WordDocument".encode("utf-16-le"),
    ],
)
def test_content_that_is_neither_csv_nor_excel_is_refused(filename: str, content: bytes) -> None:
    assert rejection(filename, content) == "Invalid file type. Only CSV and Excel files are allowed."


def test_a_workbook_with_a_password_is_refused_with_that_reason() -> None:
    content = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 512 + "EncryptedPackage".encode("utf-16-le")

    assert rejection("leads.xlsx", content) == "The file is protected with a password"


def test_a_large_archive_is_identified_by_the_names_of_its_members_alone() -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"\0" * 50_000_000)
        archive.writestr("xl/workbook.xml", b"")

    assert identify_file_kind("leads.xlsx", content.getvalue()) is FileKind.XLSX


def rejection(filename: str, content: bytes) -> str:
    with pytest.raises(FileRejectedError) as raised:
        identify_file_kind(filename, content)
    return raised.value.message
