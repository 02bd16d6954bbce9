"""One call's wall time, its CPU time, and whether it waited."""

import time
from typing import NamedTuple

try:
    import resource
except ImportError:  # not on every system
    THREAD = None
else:
    THREAD = getattr(resource, "RUSAGE_THREAD", None)  # Linux only


class Stopped(NamedTuple):
    """What a clock read.

    Attributes:
        wall_ns: wall time.
        cpu_ns: CPU time of this thread; None where the call ran on several or nobody tells waits.
        waited: whether the thread gave up the CPU by itself, for a disk, a lock or a sleep. Being
            interrupted by the scheduler is no wait. True where nobody can tell.
    """

    wall_ns: int
    cpu_ns: int | None
    waited: bool


class Clock:
    """Start, make the call, stop.

    On a busy machine most calls of a millisecond are interrupted for several: wall time then
    tells of the other programs, CPU time of the call.

    Args:
        threads: that a call may use.
    """

    def __init__(self, threads: int) -> None:
        self._alone = threads == 1 and THREAD is not None
        self._waits = self._cpu = self._wall = 0

    def start(self) -> None:
        """Start; the wall clock last, so that it holds the call alone."""
        if self._alone:
            self._waits = _voluntary_switches()
            self._cpu = time.thread_time_ns()
        self._wall = time.perf_counter_ns()

    def stop(self) -> Stopped:
        """Stop; the wall clock first."""
        wall = time.perf_counter_ns() - self._wall
        if not self._alone:
            return Stopped(wall, None, True)
        cpu = time.thread_time_ns() - self._cpu
        return Stopped(wall, cpu, _voluntary_switches() > self._waits)


def _voluntary_switches() -> int:
    assert THREAD is not None
    return resource.getrusage(THREAD).ru_nvcsw
