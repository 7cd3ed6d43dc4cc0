"""The streams of a compound file (MS-CFB), the container of old Excel workbooks."""

import struct
from collections.abc import Iterator, Sequence
from typing import Final

from services.lead_svc.spreadsheets.workbooks.archive import damaged_workbook_error

_DIRECTORY_ENTRY: Final = 128
_LAST_REGULAR_SECTOR: Final = 0xFFFFFFFA
_TABLES_IN_HEADER: Final = 109
_OLD_SECTOR: Final = 512
_SPARE_SMALL_TABLES: Final = 16
_STREAM: Final = 2
_ROOT: Final = 5


def stream(content: bytes, *names: str) -> bytes:
    """Return the first of the named streams that the file has.

    Every sector chain of the file is walked: the reader of workbooks would follow a circular chain forever.

    Raises
    ------
    FileRejectedError
        If the file has none of the streams, or its sector tables are invalid.
    """
    try:
        streams = _CompoundFile(content).streams
    except (struct.error, IndexError, ValueError) as error:
        raise damaged_workbook_error() from error
    for name in names:
        if name in streams:
            return streams[name]
    raise damaged_workbook_error()


class _CompoundFile:
    def __init__(self, content: bytes) -> None:
        self._content = content
        sector_shift, mini_shift = struct.unpack_from("<2H", content, 30)
        directories, tables, directory = struct.unpack_from("<3I", content, 40)
        self._min_regular_size, small_table, small_tables, _, more_tables = struct.unpack_from("<5I", content, 56)
        if not (7 <= sector_shift <= 16 and 4 <= mini_shift <= sector_shift):
            raise damaged_workbook_error()
        self._size, self._small_size = 1 << sector_shift, 1 << mini_shift
        # The reader reserves memory for the numbers of sectors that the header announces.
        if max(directories, tables, small_tables, more_tables) > len(content) // self._size:
            raise damaged_workbook_error()
        # It takes one of them from the wrong bytes, of which the number of small tables is the upper half (calamine
        # issue 714). Each of those tables is for a part of the file as large as all the small sectors in it.
        if small_tables > _SPARE_SMALL_TABLES + len(content) // (self._small_size * self._size // 4):
            raise damaged_workbook_error()
        self._walked: set[int] = set()
        self._next = [n for sector in self._table_sectors() for n in self._integers(sector)]
        self._small_next = [n for sector in self._walk(small_table) for n in self._integers(sector)]
        (_, root, _), *entries = self._directory(b"".join(map(self._sector, self._walk(directory))))
        self._small = b"".join(map(self._sector, self._walk(root)))
        self._small_walked: set[int] = set()
        self.streams: dict[str, bytes] = {}
        for name, start, size in entries:
            # Where two streams have one name, as in a workbook that embeds another, the reader takes the first.
            self.streams.setdefault(name, self._stream(start, size) if size else b"")

    def _stream(self, start: int, size: int) -> bytes:
        if size >= self._min_regular_size:
            return b"".join(map(self._sector, self._walk(start)))[:size]
        step = self._small_size
        sectors = _chain(start, self._small_next, self._small_walked)
        return b"".join(self._small[sector * step : (sector + 1) * step] for sector in sectors)[:size]

    def _table_sectors(self) -> Iterator[int]:
        """Iterate over the sectors of the table of successors (FAT): the header lists 109, other sectors the rest."""
        listed: tuple[int, ...] = struct.unpack_from(f"<{_TABLES_IN_HEADER}I", self._content, 76)
        (next_list,) = struct.unpack_from("<I", self._content, 68)
        while True:
            for sector in listed:
                if sector < _LAST_REGULAR_SECTOR:
                    _walk_once(sector, self._walked)
                    yield sector
            if next_list >= _LAST_REGULAR_SECTOR:
                return
            _walk_once(next_list, self._walked)
            *listed_there, next_list = self._integers(next_list)
            listed = tuple(listed_there)

    def _walk(self, start: int) -> Iterator[int]:
        return _chain(start, self._next, self._walked)

    def _directory(self, entries: bytes) -> Iterator[tuple[str, int, int]]:
        """Iterate over name, first sector and size in bytes of the root (the small sectors) and of every stream."""
        for position in range(0, len(entries) - _DIRECTORY_ENTRY + 1, _DIRECTORY_ENTRY):
            length, kind = struct.unpack_from("<HB", entries, position + 64)
            start, size = struct.unpack_from("<IQ" if self._size > _OLD_SECTOR else "<2I", entries, position + 116)
            if size > len(self._content):
                raise damaged_workbook_error()
            if kind in {_STREAM, _ROOT} and 2 <= length <= 64:
                yield entries[position : position + length - 2].decode("utf-16-le", "replace"), start, size

    def _sector(self, number: int) -> bytes:
        return self._content[(number + 1) * self._size : (number + 2) * self._size]

    def _integers(self, sector: int) -> tuple[int, ...]:
        return struct.unpack(f"<{self._size // 4}I", self._sector(sector))


def _chain(start: int, successors: Sequence[int], walked: set[int]) -> Iterator[int]:
    while start < _LAST_REGULAR_SECTOR:
        _walk_once(start, walked)
        yield start
        start = successors[start]


def _walk_once(sector: int, walked: set[int]) -> None:
    # A sector belongs to one chain, once.
    if sector in walked:
        raise damaged_workbook_error()
    walked.add(sector)
