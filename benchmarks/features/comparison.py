"""One row: the same job by edgekit and by a peer, checked first, then timed in turns."""

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median
from types import ModuleType

import builds
from builds import Build

LAYOUTS, ROUNDS, ROUND_S = 4, 10, 0.005
ISAS = ("avx512", "avx2")

Job = Callable[[], object]


@dataclass(frozen=True)
class Row:
    """A job. `make` gives the call by a copy of `edgekit.features`, with the instruction set that
    is set meanwhile."""

    job: str
    peer: str
    unit: str
    units: float
    """In one call."""
    goals: Mapping[str, float]
    make: Callable[[ModuleType], Job]
    others: Mapping[str, Job]
    """Ways in which the peer can do it; the fastest counts."""
    check: Callable[[ModuleType], str]
    """Compares the results, raises where they differ too much, says how near they are."""


@dataclass(frozen=True)
class Timed:
    """Microseconds per unit: the least of all rounds, and the median over the least."""

    least_us: float
    spread: float

    @classmethod
    def of(cls, rounds_us: Sequence[float]) -> "Timed":
        """What was seen of one job."""
        least = min(rounds_us)
        return cls(least, median(rounds_us) / least)


@dataclass(frozen=True)
class Outcome:
    """What was seen of a row. `ours`, and `fused` of the build that may, by instruction set."""

    job: str
    unit: str
    peer: str
    way: str
    theirs: Timed
    ours: Mapping[str, Timed]
    goals: Mapping[str, float]
    agreement: str
    fused: Mapping[str, Timed]
    fused_agreement: str

    def ratio(self, isa: str) -> float:
        """How many times the peer's time is edgekit's."""
        return self.theirs.least_us / self.ours[isa].least_us

    def cost(self, isa: str) -> float:
        """What identity takes: the part by which edgekit is slower than its fused build."""
        return self.ours[isa].least_us / self.fused[isa].least_us - 1


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


def round_with(build: Build, isa: str, job: Job, calls: int) -> float:
    """The same with an instruction set."""
    with build.instruction_set(isa):
        return round_s(job, calls)


def prepared(build: Build, isa: str, row: Row) -> Callable[[], float]:
    """Rounds of a build's job."""
    with build.instruction_set(isa):
        job = row.make(build.features)
        calls = calls_for(job)
    return partial(round_with, build, isa, job, calls)


def checked(build: Build, isas: list[str], row: Row) -> str:
    """How near the results are with each instruction set; the last one's."""
    agreement = ""
    for isa in isas:
        with build.instruction_set(isa):
            agreement = row.check(build.features)
    return agreement


def in_turns(jobs: Mapping[str, Callable[[], float]], units: float) -> dict[str, list[float]]:
    """Rounds of all jobs, one after the other, so that a disturbance hits them alike: µs a unit."""
    seen: dict[str, list[float]] = {name: [] for name in jobs}
    gc.disable()
    for _ in range(ROUNDS):
        for name, job in jobs.items():
            seen[name].append(job() * 1e6 / units)
    gc.enable()
    return seen


def timed(row: Row, isas: list[str]) -> dict[str, list[float]]:
    """Rounds of both builds with every instruction set, and of the peer's ways."""
    jobs = {name: partial(round_s, job, calls_for(job)) for name, job in row.others.items()}
    for isa in isas:
        jobs[isa] = prepared(builds.shipped(), isa, row)
        fused = builds.fused()
        if fused:
            jobs[f"{isa}, fused"] = prepared(fused, isa, row)
    return in_turns(jobs, row.units)


def compare(rows: Sequence[Row]) -> Outcome:
    """Check, then time. The rows are one job, made anew `LAYOUTS` times: where its memory comes to
    lie takes up to a third more or less of a short job, for edgekit and for peers."""
    row, shipped, fused = rows[0], builds.shipped(), builds.fused()
    isas = [isa for isa in ISAS if isa in shipped.isas]
    agreement = checked(shipped, isas, row)
    fused_agreement = checked(fused, isas, row) if fused else ""
    rounds = [timed(one, isas) for one in rows]
    found = {name: Timed.of([s for each in rounds for s in each[name]]) for name in rounds[0]}
    way = min(row.others, key=lambda name: found[name].least_us)
    return Outcome(
        row.job, row.unit, row.peer, way, found[way], {isa: found[isa] for isa in isas},
        row.goals, agreement,
        {isa: found[f"{isa}, fused"] for isa in isas if fused}, fused_agreement,
    )  # fmt: skip
