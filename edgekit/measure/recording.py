"""Recorded call times, and the figures they make: pure functions, no clock and no process."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Literal

import numpy as np
from msgspec import Struct

from edgekit.measure.protocol import Loaded, Times
from edgekit.statistics import Floats, mean_sequence

BASELINE, CANDIDATE, AGAIN = "baseline", "candidate", "baseline again"


def baseline_role(number: int) -> str:
    """The role of one of several baselines: `BASELINE` for number 0, then `"baseline 2"`."""
    return f"{BASELINE} {number + 1}" if number else BASELINE


RESOLUTION, ASSUMED_RESOLUTION = 0.01, 0.02
"""What is added to each side of a ratio's interval, with the baseline measured against itself and
without. A loaded model keeps where its memory lies for as long as its process lives: the same
model twice in one process differed by up to 2.5 %, which no number of calls averages out."""

NOISE_LIMIT = 0.03
"""How far from 1 the baseline against itself may be, where the limit is not further away."""

FEW_WAITS = 0.1
"""Share of calls that may wait while CPU time still stands for the call."""

Clock = Literal["cpu", "wall"]


@dataclass(frozen=True)
class Start:
    """How one process loaded one side. `place` is 0 for the side that was loaded first."""

    process: int
    role: str
    place: int
    loaded: Loaded


@dataclass(frozen=True)
class Recording:
    """Everything that was timed: blocks in the order they ran, each with its process."""

    starts: tuple[Start, ...]
    blocks: tuple[tuple[int, Times], ...]

    def calls_ms(self, role: str) -> Floats:
        """Every warm call of a side, in milliseconds, in the order they ran."""
        parts = [times.total_ns[role] for _, times in self.blocks]
        return np.array([ns for part in parts for ns in part], dtype=np.float64) / 1e6

    @property
    def baselines(self) -> tuple[str, ...]:
        """The roles of all baselines, in order."""
        roles = {start.role for start in self.starts} - {CANDIDATE, AGAIN}
        return tuple(sorted(roles))

    @property
    def has_noise(self) -> bool:
        """Whether the first baseline was loaded a second time."""
        return any(start.role == AGAIN for start in self.starts)

    @property
    def clock(self) -> Clock:
        """What ratios are made of: CPU time where calls hardly wait, else wall time."""
        told = all(times.cpu_ns for _, times in self.blocks)
        waits = [n / len(t.total_ns[r]) for _, t in self.blocks for r, n in t.waits.items()]
        return "cpu" if told and waits and sum(waits) / len(waits) <= FEW_WAITS else "wall"

    def energy_mj(self, role: str) -> float | None:
        """Of one call, with all else that ran; None unless this side alone was timed."""
        told = [times.energy_uj for _, times in self.blocks]
        alone = all(set(times.total_ns) == {role} for _, times in self.blocks)
        known = [each for each in told if each is not None]
        if not alone or len(known) < len(told) or not known:
            return None
        return sum(known) / 1e3 / self.calls_ms(role).size

    def features_ms(self, role: str) -> Floats:
        """What of each call went into features; empty where features were not timed."""
        parts = [times.features_ns.get(role, []) for _, times in self.blocks]
        return np.array([ns for part in parts for ns in part], dtype=np.float64) / 1e6


UNBOUNDED = 1e6
"""Upper end of a ratio that is not bounded yet; JSON has no infinity."""


class LatencyFigures(Struct, frozen=True, omit_defaults=True):
    """Warm latency of one side; wall time in milliseconds."""

    p50: float
    p90: float
    p95: float
    p99: float
    max: float


class SideFigures(Struct, frozen=True, omit_defaults=True):
    """What was measured of one side.

    Attributes:
        calls: how many warm calls were timed.
        latency_ms: their distribution.
        throughput_per_s: calls a second, one after the other: the reciprocal of the mean.
        load_ms: from file to runnable; median over the processes that loaded this side first.
        first_ms: the first call, cold; likewise.
        peak_mb: peak resident memory of a process that loaded and ran only this side; None where
            no process loaded it first or the system does not tell.
        features_p50_ms: median time of the features, where raw inputs were timed.
        model_p50_ms: median of the rest: the model and the decoder.
        energy_mj: millijoules of one call, of the whole machine; None where several sides were
            timed in turns, or the machine tells none.
        runtime: name and version of what ran the model.
    """

    calls: int
    latency_ms: LatencyFigures
    throughput_per_s: float
    load_ms: float
    first_ms: float
    runtime: str
    peak_mb: float | None = None
    features_p50_ms: float | None = None
    model_p50_ms: float | None = None
    energy_mj: float | None = None


class Ratio(Struct, frozen=True):
    """A side's time over another's, 1.0 for equal.

    Attributes:
        point: geometric mean over blocks of the ratio of typical calls: medians of CPU time, lower
            quartiles of wall time.
        low: lower end of the 95 % interval; valid at every look, and widened by `resolution`.
        high: upper end of it; 0 and UNBOUNDED while there are too few blocks.
        resolution: what was added for differences between processes, which more calls would not
            average out.
        clock: `cpu` or `wall`: which time it is made of.
        blocks: how many blocks there were.
        by_process: the point of each process alone.
    """

    point: float
    low: float
    high: float
    resolution: float
    clock: Clock
    blocks: int
    by_process: tuple[float, ...]

    def settles(self, limit: float) -> bool:
        """Whether the interval lies wholly on one side of a limit."""
        return self.high <= limit or self.low > limit


def ratio_of(recording: Recording, over: str, under: Sequence[str], *, resolution: float) -> Ratio:
    """How much longer calls of one side take than calls of another, or of others on average.

    Each block gives the logarithm of its ratio of typical calls: within a block all sides ran in
    turns on the same samples, so load and frequency hit all. The confidence sequence runs over
    blocks.
    """
    clock = recording.clock
    logs = [
        _log_typical(times, over, clock)
        - sum(_log_typical(times, role, clock) for role in under) / len(under)
        for _, times in recording.blocks
    ]
    interval = mean_sequence(logs)
    by_process: dict[int, list[float]] = {}
    for (process, _), value in zip(recording.blocks, logs, strict=True):
        by_process.setdefault(process, []).append(value)
    slack = math.log1p(resolution)
    return Ratio(
        point=math.exp(interval.point),
        low=math.exp(interval.low - slack),
        high=math.exp(min(interval.high + slack, math.log(UNBOUNDED))),
        resolution=resolution,
        clock=clock,
        blocks=len(logs),
        by_process=tuple(math.exp(float(np.mean(each))) for each in by_process.values()),
    )


def noise_of(recording: Recording) -> Ratio | None:
    """The baseline loaded a second time over the baseline: what equal looks like here."""
    if not recording.has_noise:
        return None
    return ratio_of(recording, AGAIN, (BASELINE,), resolution=0.0)


def candidate_ratio(recording: Recording, against: str = BASELINE) -> Ratio:
    """Candidate over a baseline, never finer than the first baseline differed from itself."""
    noise = noise_of(recording)
    if noise is None:
        return ratio_of(recording, CANDIDATE, (against,), resolution=ASSUMED_RESOLUTION)
    resolution = max(RESOLUTION, math.exp(abs(math.log(noise.point))) - 1.0)
    under = (BASELINE, AGAIN) if against == BASELINE else (against,)
    return ratio_of(recording, CANDIDATE, under, resolution=resolution)


def too_noisy(recording: Recording, limit: float) -> bool:
    """Whether the baseline differs from itself so much that nobody can be judged by this limit."""
    noise = noise_of(recording)
    if noise is None:
        return False
    allowed = max(abs(math.log(limit)), math.log1p(NOISE_LIMIT))
    return abs(math.log(noise.point)) > allowed


def _log_typical(times: Times, role: str, clock: Clock) -> float:
    """Of a block's calls the median; of wall time the lower quartile.

    Where other programs compete, more than half of the calls on several threads lose a core for
    longer than they take, and their median tells of those programs. In 7 recordings at loads around
    20, by which this was chosen, blocks of equal models strayed by 7 to 63 % in the median, by 4 to
    10 % in the lower quartile and by 21 to 23 % in the minimum.
    """
    if clock == "cpu":
        typical = median(times.cpu_ns[role])  # not NumPy's, which takes 20 times as long here
    else:
        typical = quantiles(times.total_ns[role], n=4, method="inclusive")[0]
    return math.log(max(typical, 1.0))


def side_figures(recording: Recording, role: str) -> SideFigures:
    """The figures of one side."""
    calls = recording.calls_ms(role)
    features = recording.features_ms(role)
    starts = [start for start in recording.starts if start.role == role]
    first = [start.loaded for start in starts if start.place == 0]
    loads = first or [start.loaded for start in starts]
    return SideFigures(
        calls=calls.size,
        latency_ms=latency_figures(calls),
        throughput_per_s=1e3 / float(calls.mean()),
        load_ms=_median([loaded.load_ms for loaded in loads]),
        first_ms=_median([loaded.first_ms for loaded in loads]),
        runtime=loads[0].runtime,
        peak_mb=_peak(first),
        features_p50_ms=float(np.median(features)) if features.size else None,
        model_p50_ms=float(np.median(calls - features)) if features.size else None,
        energy_mj=recording.energy_mj(role),
    )


def latency_figures(calls_ms: Floats) -> LatencyFigures:
    """Percentiles of call times in milliseconds; each is a call that was seen."""
    p50, p90, p95, p99 = np.quantile(calls_ms, [0.5, 0.9, 0.95, 0.99], method="inverted_cdf")
    return LatencyFigures(float(p50), float(p90), float(p95), float(p99), float(calls_ms.max()))


def _peak(loads: Sequence[Loaded]) -> float | None:
    peaks = [loaded.peak_mb for loaded in loads if loaded.peak_mb is not None]
    return _median(peaks) if peaks else None


def _median(values: Sequence[float]) -> float:
    return float(np.median(values))
