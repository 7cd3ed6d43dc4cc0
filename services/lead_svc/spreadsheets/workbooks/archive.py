"""The members of a zipped workbook: unpacked within bounds, and packed again for the reader.

The sizes that an archive declares are not to be trusted: a bomb declares small ones. So every member is inflated and
counted before the workbook goes to the reader, which would trust them.
"""

import zlib
from collections.abc import Mapping
from io import BytesIO
from typing import Final
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from services.lead_svc.spreadsheets.row_errors import FileRejectedError

MAX_MEMBERS: Final = 5_000
MAX_UNPACKED_BYTES: Final = 200 * 1024 * 1024

_DIRECTORY_ENTRY: Final = b"PK\x01\x02"
_LOCAL_HEADER_SIZE: Final = 30
_ENCRYPTED: Final = 0x1
_PART_SUFFIXES: Final = (".xml", ".bin", ".rels")


def unpack(content: bytes) -> dict[str, bytes]:
    """Unpack a zipped workbook without its pictures: parts by lower-case names, with "/" between folders.

    Raises
    ------
    FileRejectedError
        If the archive has more than `MAX_MEMBERS` members or `MAX_UNPACKED_BYTES` bytes, or is damaged or protected.
    """
    # Counted before the directory is parsed: a full directory of small entries would take seconds.
    if content.count(_DIRECTORY_ENTRY) > MAX_MEMBERS:
        raise _too_large_error()
    try:
        entries = ZipFile(BytesIO(content)).infolist()
    except (BadZipFile, NotImplementedError, ValueError, OSError) as error:
        raise damaged_workbook_error() from error
    # Members that share their bytes would be inflated again and again, even those that inflate to nothing.
    if sum(entry.compress_size for entry in entries) > len(content):
        raise damaged_workbook_error()
    members = {}
    bytes_left = MAX_UNPACKED_BYTES
    for entry in entries:
        member = _inflated(content, entry, bytes_left)
        bytes_left -= len(member)
        name = entry.filename.replace("\\", "/").lower()
        if name in members:  # the reader may take either of the two
            raise damaged_workbook_error()
        if name.endswith(_PART_SUFFIXES):
            members[name] = member
    return members


def pack(parts: Mapping[str, bytes]) -> bytes:
    """Pack parts into a ZIP archive by their names, not compressed."""
    content = BytesIO()
    with ZipFile(content, "w", ZIP_STORED) as archive:
        for name, part in parts.items():
            archive.writestr(ZipInfo(name), part)
    return content.getvalue()


def damaged_workbook_error() -> FileRejectedError:
    """Return the rejection of a workbook whose structure is invalid."""
    return FileRejectedError.because("damaged_file", "The Excel file cannot be read; it may be damaged")


def _inflated(content: bytes, entry: ZipInfo, max_bytes: int) -> bytes:
    if entry.flag_bits & _ENCRYPTED:
        raise FileRejectedError.because("encrypted_file", "The file is protected with a password")
    start = entry.header_offset
    header = content[start : start + _LOCAL_HEADER_SIZE]
    if start < 0 or len(header) < _LOCAL_HEADER_SIZE:
        raise damaged_workbook_error()
    start += _LOCAL_HEADER_SIZE + int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
    packed = memoryview(content)[start : start + entry.compress_size]
    if entry.compress_type == ZIP_STORED:
        member = bytes(packed[: max_bytes + 1])
    elif entry.compress_type == ZIP_DEFLATED:
        try:
            member = zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, max_bytes + 1)
        except zlib.error as error:
            raise damaged_workbook_error() from error
    else:
        raise damaged_workbook_error()
    if len(member) > max_bytes:
        raise _too_large_error()
    return member


def _too_large_error() -> FileRejectedError:
    megabytes = MAX_UNPACKED_BYTES // (1024 * 1024)
    return FileRejectedError.because(
        "too_large_unpacked",
        f"The Excel file is too large when unpacked: more than {megabytes} MB or {MAX_MEMBERS:,} parts",
    )
