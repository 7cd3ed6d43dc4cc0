"""The streams of a compound file, the container of old Excel workbooks (MS-CFB)."""

import struct
from collections.abc import Iterator
from itertools import islice
from typing import Final

from services.lead_svc.imports.workbooks.archive import damaged_workbook

_DIRECTORY_ENTRY: Final = 128
_LAST_REGULAR_SECTOR: Final = 0xFFFFFFFA
_TABLES_IN_HEADER: Final = 109
_ROOT: Final = "Root Entry"


def stream(content: bytes, *names: str) -> bytes:
    """The first of the named streams that the file has.

    Raises
    ------
    ImportRejected
        If it has none of them, or if its tables lead astray.
    """
    try:
        file = _CompoundFile(content)
        for name in names:
            if name in file.entries:
                return file.stream(*file.entries[name])
    except (struct.error, IndexError, KeyError) as error:
        raise damaged_workbook() from error
    raise damaged_workbook()


class _CompoundFile:
    def __init__(self, content: bytes) -> None:
        self._content = content
        sector_shift, mini_shift = struct.unpack_from("<2H", content, 30)
        (directory,) = struct.unpack_from("<I", content, 48)
        self._least_size, mini_table = struct.unpack_from("<2I", content, 56)
        if not (7 <= sector_shift <= 16 and 4 <= mini_shift <= sector_shift):
            raise damaged_workbook()
        self._size, self._mini_size = 1 << sector_shift, 1 << mini_shift
        # Nothing in the file can be longer than this many sectors; what is, runs in a circle.
        self._most = len(content) // self._size
        tables = islice(self._table_sectors(), self._most)
        self._next = [n for sector in tables for n in self._integers(sector)]
        self._mini_next = [n for sector in self._chain(mini_table) for n in self._integers(sector)]
        self.entries = dict(_directory(b"".join(map(self._sector, self._chain(directory)))))

    def stream(self, start: int, size: int) -> bytes:
        """The bytes of the stream that starts in a sector, or in a small one if it is no longer than that."""
        if size >= self._least_size:
            return b"".join(map(self._sector, self._chain(start)))[:size]
        root, _ = self.entries[_ROOT]
        small = b"".join(map(self._sector, self._chain(root)))
        sectors = islice(_chain(start, self._mini_next), len(small) // self._mini_size)
        return b"".join(small[at * self._mini_size : (at + 1) * self._mini_size] for at in sectors)[:size]

    def _table_sectors(self) -> Iterator[int]:
        """The sectors that say which sector follows which: the header lists the first, further sectors the rest."""
        listed: tuple[int, ...] = struct.unpack_from(f"<{_TABLES_IN_HEADER}I", self._content, 76)
        (following,) = struct.unpack_from("<I", self._content, 68)
        yield from (sector for sector in listed if sector < _LAST_REGULAR_SECTOR)
        for _ in range(self._most):
            if following >= _LAST_REGULAR_SECTOR:
                return
            *listed_there, following = self._integers(following)
            yield from (sector for sector in listed_there if sector < _LAST_REGULAR_SECTOR)

    def _chain(self, start: int) -> Iterator[int]:
        return islice(_chain(start, self._next), self._most)

    def _sector(self, number: int) -> bytes:
        return self._content[(number + 1) * self._size : (number + 2) * self._size]

    def _integers(self, sector: int) -> tuple[int, ...]:
        return struct.unpack(f"<{self._size // 4}I", self._sector(sector))


def _chain(start: int, following: list[int]) -> Iterator[int]:
    while start < _LAST_REGULAR_SECTOR:
        yield start
        start = following[start]


def _directory(entries: bytes) -> Iterator[tuple[str, tuple[int, int]]]:
    """Name, first sector and size in bytes of every stream, and of the root, whose stream holds the small ones."""
    for at in range(0, len(entries) - _DIRECTORY_ENTRY + 1, _DIRECTORY_ENTRY):
        (length,) = struct.unpack_from("<H", entries, at + 64)
        start, size = struct.unpack_from("<2I", entries, at + 116)
        if 2 <= length <= 64:
            yield entries[at : at + length - 2].decode("utf-16-le", "replace"), (start, size)
