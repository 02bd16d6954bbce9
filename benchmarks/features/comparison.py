"""One row: the same job by edgekit and by a peer, checked first, then timed in turns."""

import gc
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from statistics import median
from unittest.mock import patch

from edgekit.kernels import available_isas

ROUNDS, ROUND_S = 11, 0.006
ISAS = ("avx512", "avx2")
MODULES = ("audio", "image", "micro", "stream", "window")

Job = Callable[[], object]


@dataclass(frozen=True)
class Row:
    """A job. `make` gives edgekit's call for the instruction set that is set meanwhile."""

    job: str
    peer: str
    unit: str
    units: float
    """In one call."""
    goals: Mapping[str, float]
    make: Callable[[], Job]
    others: Mapping[str, Job]
    """Ways in which the peer can do it; the fastest counts."""
    check: Callable[[], str]
    """Compares the results, raises where they differ too much, says how near they are."""


@dataclass(frozen=True)
class Timed:
    """Microseconds per unit: the least of all rounds, and the median over the least."""

    least_us: float
    spread: float


@dataclass(frozen=True)
class Outcome:
    """What was seen of a row. `ours` by instruction set."""

    job: str
    unit: str
    peer: str
    way: str
    theirs: Timed
    ours: Mapping[str, Timed]
    goals: Mapping[str, float]
    agreement: str

    def ratio(self, isa: str) -> float:
        """How many times the peer's time is edgekit's."""
        return self.theirs.least_us / self.ours[isa].least_us


@contextmanager
def instruction_set(name: str) -> Iterator[None]:
    """The public classes take the best one there is; here they take this one."""
    number = available_isas().index(name)
    with ExitStack() as stack:
        for module in MODULES:
            place = f"edgekit.kernels.{module}.isa_number"
            stack.enter_context(patch(place, lambda isa: number))
        yield


def calls_for(job: Job) -> int:
    """Calls that fill a round."""
    job()
    start = time.perf_counter()
    job()
    return max(1, int(ROUND_S / max(time.perf_counter() - start, 1e-9)))


def round_s(job: Job, calls: int) -> float:
    """CPU seconds of one call."""
    start = time.thread_time_ns()
    for _ in range(calls):
        job()
    return (time.thread_time_ns() - start) / calls / 1e9


def round_with(isa: str, job: Job, calls: int) -> float:
    """The same with an instruction set."""
    with instruction_set(isa):
        return round_s(job, calls)


def in_turns(jobs: Mapping[str, Callable[[], float]], units: float) -> dict[str, Timed]:
    """Rounds of all jobs, one after the other, so that a disturbance hits them alike."""
    seen: dict[str, list[float]] = {name: [] for name in jobs}
    gc.disable()
    for _ in range(ROUNDS):
        for name, job in jobs.items():
            seen[name].append(job() * 1e6 / units)
    gc.enable()
    return {n: Timed(min(times), median(times) / min(times)) for n, times in seen.items()}


def compare(row: Row) -> Outcome:
    """Check, then time."""
    agreement = row.check()
    jobs: dict[str, Callable[[], float]] = {}
    for name, job in row.others.items():
        jobs[name] = partial(round_s, job, calls_for(job))
    isas = [isa for isa in ISAS if isa in available_isas()]
    for isa in isas:
        with instruction_set(isa):
            ours = row.make()
            calls = calls_for(ours)
        jobs[isa] = partial(round_with, isa, ours, calls)
    found = in_turns(jobs, row.units)
    way = min(row.others, key=lambda name: found[name].least_us)
    ours_timed = {isa: found[isa] for isa in isas}
    return Outcome(row.job, row.unit, row.peer, way, found[way], ours_timed, row.goals, agreement)
