"""Starting again what died."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from deploy.local.child import Child

FIRST_DELAY_S = 0.2
LONGEST_DELAY_S = 15.0
# A process that ran this long was well: its next restart is quick again.
WELL_AFTER_S = 30.0
LOOK_EVERY_S = 0.1
TRIM_EVERY_S = 5.0
LOG_BYTES = 10 * 1024 * 1024

logger = logging.getLogger(__name__)


def delay_after(deaths: int) -> float:
    """Seconds to wait before the restart that follows this many deaths in a row."""
    return float(min(LONGEST_DELAY_S, FIRST_DELAY_S * 2 ** (deaths - 1)))


class Watch:
    """A thread that restarts children that died, each later when it dies again, and keeps log files small."""

    def __init__(self, children: Sequence[Child], on_restart: Callable[[Child], None]) -> None:
        self._children = children
        self._on_restart = on_restart
        self._deaths = {child.name: 0 for child in children}
        self._due: dict[str, float] = {}
        self._started = {child.name: time.monotonic() for child in children}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        for child in self._children:
            child.is_watched = True
        self._thread.start()

    def end(self) -> None:
        """Stop watching: what dies from now on stays dead."""
        self._over.set()
        self._thread.join()
        for child in self._children:
            child.is_watched = False

    def _run(self) -> None:
        trimmed = time.monotonic()
        while not self._over.wait(LOOK_EVERY_S):
            for child in self._children:
                if child.died:
                    self._revive(child)
            if time.monotonic() - trimmed > TRIM_EVERY_S:
                trimmed = time.monotonic()
                for child in self._children:
                    trim(child.log)

    def _revive(self, child: Child) -> None:
        now = time.monotonic()
        due = self._due.get(child.name)
        if due is None:
            if now - self._started[child.name] > WELL_AFTER_S:
                self._deaths[child.name] = 0
            self._deaths[child.name] += 1
            delay = delay_after(self._deaths[child.name])
            self._due[child.name] = now + delay
            logger.warning("%s ended, starting it again in %.1f s", child.name, delay)
        elif now >= due:
            del self._due[child.name]
            self._started[child.name] = now
            try:
                child.revive()
            except OSError:
                # Out of memory or processes: the next round tries again, later.
                logger.exception("%s could not be started", child.name)
                return
            self._on_restart(child)


def trim(log: Path) -> None:
    """Move a log that has grown large aside, over the one moved before; its writer goes on with an empty file."""
    if log.exists() and log.stat().st_size > LOG_BYTES:
        # Copied and emptied, not renamed: the process keeps the file open, and appends.
        earlier = log.with_suffix(".log.1")
        earlier.write_bytes(log.read_bytes())
        with log.open("r+b") as file:
            file.truncate(0)
