"""Figures of requests, round by round, and what they come to."""

import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

BUSY, ALONE = 8, 1
"""Connections: enough to keep a process busy, for throughput and CPU; one, for latency."""

PlaceT = TypeVar("PlaceT", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Figures:
    """What came of one case at one server, in one round."""

    per_second: float
    process: float
    """CPU seconds a request, of the processes that answer."""
    database: float
    """CPU seconds a request, of their PostgreSQL backends."""
    latency: float
    """Seconds, the median."""


Figure = Callable[[Figures], float]


class Samples(Generic[PlaceT]):
    """The figures of every round, by what was measured where."""

    def __init__(self) -> None:
        self._rounds: defaultdict[PlaceT, list[Figures]] = defaultdict(list)

    def add(self, place: PlaceT, figures: Figures) -> None:
        """Note one round's."""
        self._rounds[place].append(figures)

    def median(self, place: PlaceT, figure: Figure) -> float:
        """The median of one figure."""
        return statistics.median(map(figure, self._rounds[place]))

    def ratio(self, place: PlaceT, other: PlaceT, figure: Figure) -> float:
        """The median of what one figure is to another's in the same round."""
        pairs = zip(self._rounds[place], self._rounds[other], strict=True)
        return statistics.median(figure(one) / figure(two) for one, two in pairs)


def cpu_seconds(pids: Sequence[int]) -> float:
    """CPU time of processes, to the nanosecond; psutil has it in hundredths of a second."""
    # The clock of another process has this number on Linux: clock_getcpuclockid(3).
    return sum(time.clock_gettime(~pid << 3 | 2) for pid in pids)
