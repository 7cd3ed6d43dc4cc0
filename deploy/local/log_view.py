"""The processes' output on a terminal."""

import time
from collections.abc import Iterable
from pathlib import Path

from deploy.local.errors import tail

LOOK_EVERY_S = 0.25


def show(logs: Iterable[Path], *, follow: bool, lines: int) -> None:
    """Print the last `lines` lines of each file, and with `follow` what is added, until the caller is interrupted."""
    files = sorted(logs)
    width = max((len(file.stem) for file in files), default=0)
    places = {file: file.stat().st_size for file in files}
    for file in files:
        _print(file, width, tail(file, lines))
    while follow:
        time.sleep(LOOK_EVERY_S)
        for file in files:
            places[file] = _print_added(file, width, places[file])


def _print_added(file: Path, width: int, place: int) -> int:
    """Print the whole lines after `place`; where the next ones begin."""
    size = file.stat().st_size
    if size < place:  # it was trimmed
        place = 0
    with file.open("rb") as stream:
        stream.seek(place)
        added = stream.read()
    whole = added[: added.rfind(b"\n") + 1]
    _print(file, width, whole.decode(errors="replace"))
    return place + len(whole)


def _print(file: Path, width: int, text: str) -> None:
    for line in text.splitlines():
        print(f"{file.stem:<{width}} | {line}", flush=True)
