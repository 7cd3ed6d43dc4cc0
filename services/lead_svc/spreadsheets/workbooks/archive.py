"""The members of a zipped workbook, unpacked within bounds.

Sizes that an archive declares are worth nothing: a bomb declares small ones. So every member is really inflated, and
counted, before the workbook goes to a reader that would trust them.
"""

import zlib
from io import BytesIO
from typing import Final
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from services.lead_svc.spreadsheets.row_errors import FileRejectedError

MAX_MEMBERS: Final = 5_000
MAX_UNPACKED: Final = 200 * 1024 * 1024

_DIRECTORY_ENTRY: Final = b"PK\x01\x02"
_LOCAL_HEADER_SIZE: Final = 30
_ENCRYPTED: Final = 0x1
_READ: Final = (".xml", ".bin", ".rels")


def unpack(content: bytes) -> dict[str, bytes]:
    """The members of a zipped workbook that are no pictures, by their names in lower case, with "/" between folders.

    Raises
    ------
    FileRejectedError
        If there are more than `MAX_MEMBERS` of them or they have more than `MAX_UNPACKED` bytes, or if the archive is
        damaged.
    """
    # Counted before the directory is parsed: a full one of small entries would take seconds.
    if content.count(_DIRECTORY_ENTRY) > MAX_MEMBERS:
        raise _too_large()
    try:
        entries = ZipFile(BytesIO(content)).infolist()
    except (BadZipFile, NotImplementedError, ValueError, OSError) as error:
        raise damaged_workbook_error() from error
    members = {}
    left = MAX_UNPACKED
    for entry in entries:
        member = _inflated(content, entry, left)
        left -= len(member)
        name = entry.filename.replace("\\", "/").lower()
        if name in members:  # which of the two would the reader take?
            raise damaged_workbook_error()
        if name.endswith(_READ):
            members[name] = member
    return members


def damaged_workbook_error() -> FileRejectedError:
    """The rejection of a workbook that cannot be made sense of."""
    return FileRejectedError.because("damaged_file", "The Excel file cannot be read; it may be damaged")


def _inflated(content: bytes, entry: ZipInfo, most: int) -> bytes:
    if entry.flag_bits & _ENCRYPTED:
        raise FileRejectedError.because("encrypted_file", "The file is protected with a password")
    start = entry.header_offset
    header = content[start : start + _LOCAL_HEADER_SIZE]
    if start < 0 or len(header) < _LOCAL_HEADER_SIZE:
        raise damaged_workbook_error()
    start += _LOCAL_HEADER_SIZE + int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
    packed = memoryview(content)[start : start + entry.compress_size]
    if entry.compress_type == ZIP_STORED:
        member = bytes(packed[: most + 1])
    elif entry.compress_type == ZIP_DEFLATED:
        try:
            member = zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, most + 1)
        except zlib.error as error:
            raise damaged_workbook_error() from error
    else:
        raise damaged_workbook_error()
    if len(member) > most:
        raise _too_large()
    return member


def _too_large() -> FileRejectedError:
    megabytes = MAX_UNPACKED // (1024 * 1024)
    return FileRejectedError.because(
        "too_large_unpacked",
        f"The Excel file is too large when unpacked: more than {megabytes} MB or {MAX_MEMBERS:,} parts",
    )
