"""Times that pytest-benchmark recorded → verdicts on `[latency]`, as far as they can carry one.

A percentile is judged like any other, from the single calls. A ratio is another matter: two
recordings were made one after the other (A then B), and what the machine did between them is in
their difference. One recording of each says nothing about that, so the recording is the unit:
three of each, made in turns, have a spread. Everything else is INCONCLUSIVE and says why.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct

from edgekit.budget import Budget
from edgekit.errors import BudgetError, StorageError, UsageError
from edgekit.gate.case import at_most, missing
from edgekit.gate.cost_limits import percentile_verdict
from edgekit.gate.verdict import Verdict
from edgekit.measure.recording import ASSUMED_RESOLUTION
from edgekit.statistics import student_t_quantile

FEWEST = 3
"""Recordings of each side that have a spread worth the name."""
CHANGES = 3
"""How often recordings in the order of their dates change sides at least, to be in turns."""
RATIO = "latency.max_ratio"
OVER_RECORDINGS = "95 % over recordings, and 2 % for what processes differ by"


class Stats(Struct, frozen=True):
    """What pytest-benchmark writes of one benchmark; seconds."""

    median: float
    rounds: int
    iterations: int = 1
    data: tuple[float, ...] | None = None


class Benchmark(Struct, frozen=True):
    """One benchmark of a file."""

    name: str
    fullname: str
    stats: Stats


class BenchmarkFile(Struct, frozen=True):
    """The parts of a file of pytest-benchmark that are read."""

    benchmarks: tuple[Benchmark, ...]
    machine_info: dict[str, Any] = {}
    datetime: str = ""


@dataclass(frozen=True)
class Recorded:
    """One benchmark as it was recorded once.

    Attributes:
        name: of the benchmark.
        stats: its times.
        machine: what tells machines and interpreters apart.
        made: when, ISO 8601; empty where it is not told.
    """

    name: str
    stats: Stats
    machine: tuple[str, ...] = ()
    made: str = ""


def read_recorded(path: Path, name: str | None = None) -> Recorded:
    """A benchmark from a JSON file of pytest-benchmark.

    Args:
        path: of the file that `--benchmark-json` or `--benchmark-save-data` wrote.
        name: which benchmark, short or full; None where the file has one.

    Raises:
        StorageError: the file cannot be read.
        UsageError: it is no such file, or has no such benchmark.
    """
    thing = f"recording {str(path)!r}"
    try:
        file = msgspec.json.decode(path.read_bytes(), type=BenchmarkFile)
    except OSError as error:
        problem = f"it cannot be read ({error.strerror})"
        raise StorageError(thing, problem, "check the path") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        problem = f"it is no JSON of pytest-benchmark: {error}"
        raise UsageError(thing, problem, "record with pytest --benchmark-json FILE") from error
    found = [each for each in file.benchmarks if name in (None, each.name, each.fullname)]
    if len(found) != 1:
        known = ", ".join(each.fullname for each in file.benchmarks) or "none"
        problem = f"{len(found)} benchmarks are called {name!r}" if name else f"it has {known}"
        raise UsageError(thing, problem, f"name one of {known}" if file.benchmarks else "record")
    _check_times(thing, found[0].stats)
    return Recorded(found[0].name, found[0].stats, _machine(file.machine_info), file.datetime)


def from_fixture(benchmark: Any) -> Recorded | None:
    """What the fixture `benchmark` recorded in this test; None where it is switched off.

    Raises:
        UsageError: nothing was run with it yet.
    """
    if getattr(benchmark, "disabled", False):
        return None
    metadata = getattr(benchmark, "stats", None)
    if metadata is None:
        problem = "it has recorded nothing yet"
        raise UsageError("the fixture benchmark", problem, "call benchmark(function) first")
    times = tuple(metadata.stats.data)
    stats = Stats(metadata.stats.median, len(times), metadata.iterations, times)
    return Recorded(metadata.name, stats)


def judge_recorded(
    budget: Budget, candidates: Sequence[Recorded], baselines: Sequence[Recorded] = ()
) -> tuple[Verdict, ...]:
    """One verdict for each limit of `[latency]`.

    Args:
        budget: only its table `[latency]` is about times.
        candidates: recordings of the same benchmark; none where it was switched off.
        baselines: likewise, of what it must not be slower than.

    Raises:
        BudgetError: it limits no latency.
    """
    limits = msgspec.structs.asdict(budget.latency)
    found = {f"latency.{key}": limit for key, limit in limits.items() if limit is not None}
    if not found:
        raise BudgetError("the budget", "it has no limit in [latency]", "set one, such as p95_ms")
    return tuple(
        _ratio(name, limit, candidates, baselines)
        if name == RATIO
        else _percentile(name, limit, candidates)
        for name, limit in found.items()
    )


def _percentile(name: str, limit: float, candidates: Sequence[Recorded]) -> Verdict:
    why = _why_no_calls(candidates)
    if why is not None:
        return missing(name, limit, "ms", why)
    seconds = [second for each in candidates for second in each.stats.data or ()]
    verdict = percentile_verdict(name, limit, np.array(seconds) * 1e3)
    called = f"{verdict.reason}, as pytest-benchmark recorded {candidates[0].name}"
    return msgspec.structs.replace(verdict, reason=called)


def _why_no_calls(candidates: Sequence[Recorded]) -> str | None:
    if not candidates:
        return OFF
    for stats in (each.stats for each in candidates):
        if stats.data is None:
            return (
                f"only a summary of {stats.rounds} rounds was saved: record with "
                "--benchmark-json or --benchmark-save-data"
            )
        if stats.iterations > 1:
            return (
                f"each of {stats.rounds} rounds is the mean of {stats.iterations} calls, which "
                "has no slow calls: record with benchmark.pedantic(f, rounds=500, iterations=1)"
            )
    return None


OFF = "pytest-benchmark recorded nothing: it is switched off, as always under pytest-xdist"


def _ratio(
    name: str, limit: float, candidates: Sequence[Recorded], baselines: Sequence[Recorded]
) -> Verdict:
    if not candidates:
        return missing(name, limit, "ratio", OFF)
    if not baselines:
        return missing(name, limit, "ratio", "nothing to compare with: give baseline=")
    sides = [[math.log(each.stats.median) for each in side] for side in (candidates, baselines)]
    log_ratio = float(np.mean(sides[0]) - np.mean(sides[1]))
    why = _why_not_in_turns(candidates, baselines)
    if why is not None:
        open_one = missing(name, limit, "ratio", f"{math.exp(log_ratio):.3f} times as long, {why}")
        return msgspec.structs.replace(open_one, value=math.exp(log_ratio))
    error = math.sqrt(sum(float(np.var(side, ddof=1)) / len(side) for side in sides))
    half = student_t_quantile(0.975, min(map(len, sides)) - 1) * error
    half += math.log1p(ASSUMED_RESOLUTION)
    point, low, high = (math.exp(log_ratio + by) for by in (0.0, -half, half))
    reason = (
        f"medians of {len(candidates)} recordings, in turns with {len(baselines)} of the baseline, "
        f"are {point:.3f} times as long, between {low:.3f} and {high:.3f}, limit {limit:g}"
    )
    outcome = at_most(low, high, limit)
    count = len(candidates) + len(baselines)
    return Verdict(name, outcome, limit, "ratio", reason, point, low, high, OVER_RECORDINGS, count)


def _why_not_in_turns(candidates: Sequence[Recorded], baselines: Sequence[Recorded]) -> str | None:
    """Why two sets of recordings cannot tell a change of the code from one of the machine."""
    way_out = f"record {FEWEST} of each in turns, or gate the model files"
    fewest = min(len(candidates), len(baselines))
    if fewest < FEWEST:
        return (
            f"recorded A then B, {fewest} of each at most: what two recordings of the same code "
            f"differ by is not known; {way_out}"
        )
    if len({each.machine for each in (*candidates, *baselines)}) > 1:
        return f"recorded on different machines or Pythons; {way_out}"
    order = sorted([(r.made, 0) for r in baselines] + [(r.made, 1) for r in candidates])
    if not all(made for made, _ in order):
        return f"recorded nobody knows when, so perhaps A then B; {way_out}"
    if sum(one != other for (_, one), (_, other) in pairwise(order)) < CHANGES:
        return f"recorded A then B by their dates; {way_out}"
    return None


def _machine(info: Mapping[str, Any]) -> tuple[str, ...]:
    cpu = info.get("cpu")
    brand = cpu.get("brand_raw", "") if isinstance(cpu, Mapping) else ""
    told = (info.get(key, "") for key in ("node", "machine", "system", "python_version"))
    return (*map(str, told), str(brand))


def _check_times(thing: str, stats: Stats) -> None:
    if not all(0.0 < second < math.inf for second in (stats.median, *(stats.data or ()))):
        problem = "it has a time that is not above 0"
        raise UsageError(thing, problem, "record it again")
