"""Time one model, or two in turns, in fresh processes, until enough is known."""

import random
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from msgspec import Struct

from edgekit.engines import Array
from edgekit.errors import StorageError, UsageError
from edgekit.measure.environment import Environment, local_environment
from edgekit.measure.process import Worker
from edgekit.measure.protocol import Block, Load, Times
from edgekit.measure.recording import (
    AGAIN,
    BASELINE,
    CANDIDATE,
    FEW_WAITS,
    Ratio,
    Recording,
    SideFigures,
    Start,
    candidate_ratio,
    noise_of,
    side_figures,
    too_noisy,
)
from edgekit.measure.samples import Samples, given_samples
from edgekit.statistics import Floats

BLOCK_MS = 4.0
"""Of calls a side in one block: long enough for a median, short enough that load stays the same."""


@dataclass(frozen=True)
class Sampling:
    """How much to measure.

    Attributes:
        threads: threads that one inference may use.
        seed: of the order of calls and of loading.
        processes: fresh processes, each with every side loaded; at least three for a verdict.
        min_calls: calls of each side at least, as a percentile may need.
        max_calls: calls of each side at most.
        max_s: seconds after which no further round starts.
        limits: ratios to tell apart; measuring stops when each is settled.
        noise: whether the baseline is loaded a second time, to show what equal looks like here.
        warm_calls: calls before timing counts.
        timeout_s: longest wait for a worker's answer.
    """

    threads: int = 1
    seed: int = 0
    processes: int = 3
    min_calls: int = 0
    max_calls: int = 960
    max_s: float = 60.0
    limits: tuple[float, ...] = ()
    noise: bool = False
    warm_calls: int = 10
    timeout_s: float = 300.0


class LatencyComparison(Struct, frozen=True, omit_defaults=True):
    """Candidate against baseline.

    Attributes:
        baseline: its figures.
        candidate: its figures.
        ratio: candidate over baseline; below 1 the candidate is faster.
        noise: the baseline loaded again over the baseline, where that was measured.
        inputs: what the models were fed.
        environment: where this was measured.
        stopped: why measuring ended.
    """

    baseline: SideFigures
    candidate: SideFigures
    ratio: Ratio
    inputs: str
    environment: Environment
    stopped: str
    noise: Ratio | None = None


@dataclass(frozen=True)
class Measured:
    """A recording with its context."""

    recording: Recording
    inputs: str
    environment: Environment
    stopped: str
    threads: int = 1

    def calls_ms(self, role: str) -> Floats:
        """Every warm call of a side, in milliseconds."""
        return self.recording.calls_ms(role)

    def comparison(self, against: str = BASELINE) -> LatencyComparison:
        """The figures of the candidate and of one baseline, and their ratio."""
        return LatencyComparison(
            baseline=side_figures(self.recording, against),
            candidate=side_figures(self.recording, CANDIDATE),
            ratio=candidate_ratio(self.recording, against),
            inputs=self.inputs,
            environment=self.environment,
            stopped=self.stopped,
            noise=noise_of(self.recording),
        )


def compare_latency(
    baseline: Path,
    candidate: Path,
    feeds: Sequence[Mapping[str, Array]],
    *,
    threads: int = 1,
    seed: int = 0,
    max_calls: int = 960,
    processes: int = 3,
) -> LatencyComparison:
    """Is the candidate faster? The models alone, on the same feeds, in turns.

    Measuring stops as soon as the interval of the ratio excludes 1.

    Args:
        baseline: a .onnx, .tflite or .edgekit file.
        candidate: likewise.
        feeds: model inputs by name, at least one.
        threads: threads that one inference may use.
        seed: of the order of calls.
        max_calls: of each side.
        processes: fresh processes; one is enough for a first screening.

    Raises:
        CrashError: a model ended or hung the process that ran it.
        ModelError: a model cannot be loaded or run.
        UsageError: a number is below 1, or there are no feeds.
    """
    sampling = Sampling(
        threads=threads, seed=seed, processes=processes, max_calls=max_calls, limits=(1.0,)
    )
    sides = {BASELINE: baseline, CANDIDATE: candidate}
    return measure(sides, given_samples(feeds), sampling).comparison()


def measure(sides: Mapping[str, Path], samples: Samples, sampling: Sampling) -> Measured:
    """Time the sides in turns in fresh processes; with one side, time it alone.

    Args:
        sides: files by role: `CANDIDATE` alone, or with `BASELINE` and more baselines.
        samples: what they are fed.
        sampling: how much to measure.

    Raises:
        CrashError: a model ended or hung the process that ran it.
        ModelError: a model cannot be loaded or run.
        UsageError: a number of the sampling is below 1.
        StorageError: the samples cannot be written to the temporary folder.
    """
    sides = checked_sides(sides, sampling)
    environment = local_environment()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="edgekit-")))
        files = _write(samples, folder)
        # started together, so that their imports overlap; loaded one by one, so that loads do not
        workers = [
            stack.enter_context(Worker(sampling.timeout_s)) for _ in range(sampling.processes)
        ]
        rounds = start_rounds(workers, sides, files, samples, sampling)
        stopped = rounds.run()
    return Measured(rounds.recording, samples.source, environment, stopped, sampling.threads)


def checked_sides(sides: Mapping[str, Path], sampling: Sampling) -> Mapping[str, Path]:
    """The sides, with the baseline once more where noise is wanted.

    Raises:
        UsageError: a number of the sampling is below 1.
    """
    for name in ("threads", "processes", "max_calls"):
        if getattr(sampling, name) < 1:
            value = getattr(sampling, name)
            raise UsageError(f"{name}={value}", "it must be at least 1", "pass 1 or more")
    return {**sides, AGAIN: sides[BASELINE]} if sampling.noise else sides


def start_rounds(
    workers: Sequence[Worker],
    sides: Mapping[str, Path],
    files: list[dict[str, str]],
    samples: Samples,
    sampling: Sampling,
) -> "Rounds":
    """Load every side in every worker, in rotated order; what follows is `Rounds.run`.

    Args:
        workers: fresh ones, here or on a board.
        sides: files by role, as the workers see them.
        files: the samples' files, as the workers see them.
        samples: what they are.
        sampling: how much to measure.

    Raises:
        CrashError: a model ended or hung the process that ran it.
        ModelError: a model cannot be loaded or run.
    """
    rotation = random.Random(sampling.seed).randrange(2)
    starts: list[Start] = []
    for process, worker in enumerate(workers):
        roles = _rotated(list(sides), rotation + process)
        loads = [_load_request(role, sides[role], files, samples, sampling) for role in roles]
        starts += [
            Start(process, load.role, place, worker.load(load)) for place, load in enumerate(loads)
        ]
    return Rounds(workers, sides, tuple(starts), sampling)


class Rounds:
    """One block in each worker, again and again, until the sampling is satisfied."""

    def __init__(
        self,
        workers: Sequence[Worker],
        sides: Mapping[str, Path],
        starts: tuple[Start, ...],
        sampling: Sampling,
    ) -> None:
        self._workers = workers
        self._roles = list(sides)
        self._thing = " and ".join(f"model {str(path)!r}" for path in dict.fromkeys(sides.values()))
        self._starts = starts
        self._sampling = sampling
        self._random = random.Random(sampling.seed)
        self._calls = calls_per_block(starts, sampling)
        self._blocks: list[tuple[int, Times]] = []

    @property
    def recording(self) -> Recording:
        """What was recorded so far."""
        return Recording(self._starts, tuple(self._blocks))

    def run(self) -> str:
        """Measure; returns why it ended."""
        deadline = time.monotonic() + self._sampling.max_s
        while True:
            for process, worker in enumerate(self._workers):
                self._blocks.append((process, worker.time(self._next_block(), self._thing)))
            calls = len(self._blocks) * self._calls
            stopped = why_stop(self.recording, calls, self._sampling)
            if stopped is None and time.monotonic() > deadline:
                stopped = f"{self._sampling.max_s:g} seconds"
            if stopped is not None:
                return stopped

    def _next_block(self) -> Block:
        return Block(
            order=turns(self._roles, self._calls, self._random),
            first_sample=len(self._blocks) * self._calls,
        )


def why_stop(recording: Recording, calls: int, sampling: Sampling) -> str | None:
    """Why measuring may end after this many calls a side; None where it must go on."""
    if calls >= sampling.min_calls and _settled(recording, sampling.limits):
        return "every limit is settled"
    if calls >= max(sampling.max_calls, sampling.min_calls):
        return f"{calls} calls a side"
    return None


def _settled(recording: Recording, limits: Sequence[float]) -> bool:
    if not limits or not recording.baselines:
        return False
    ratios = [candidate_ratio(recording, against) for against in recording.baselines]
    settled = all(ratio.settles(limit) for ratio in ratios for limit in limits)
    return settled and not any(too_noisy(recording, limit) for limit in limits)


def calls_per_block(starts: Sequence[Start], sampling: Sampling) -> int:
    """Calls of each side in a block: an even number, so that turns balance.

    Four where a call takes a millisecond or more and CPU time can be used, eight where it is wall
    time; more where calls are short; fewer where `max_calls` would not make eight blocks.
    """
    shortest = min(start.loaded.warm_ms for start in starts)
    waits = max(start.loaded.waits for start in starts) > FEW_WAITS
    wanted = min(max(BLOCK_MS / max(shortest, 1e-3), 8.0 if waits else 4.0), 64.0)
    fair = sampling.max_calls / (8 * sampling.processes)
    return max(2, 2 * int(min(wanted, fair) / 2))


def turns(roles: Sequence[str], calls: int, order: random.Random) -> list[str]:
    """ABBA: each two calls of every role run in a drawn order and then in the reverse of it."""
    sequence: list[str] = []
    for _ in range(calls // 2):
        drawn = list(roles)
        order.shuffle(drawn)
        sequence += drawn + drawn[::-1]
    return sequence


def _rotated(roles: list[str], by: int) -> list[str]:
    by %= len(roles)
    return roles[by:] + roles[:by]


def _load_request(
    role: str, path: Path, files: list[dict[str, str]], samples: Samples, sampling: Sampling
) -> Load:
    return Load(role, str(path), sampling.threads, files, samples.raw, sampling.warm_calls)


def _write(samples: Samples, folder: Path) -> list[dict[str, str]]:
    try:
        return samples.write(folder)
    except OSError as error:
        problem = f"the samples cannot be written: {error.strerror}"
        raise StorageError(f"folder {str(folder)!r}", problem, "free some space") from error
