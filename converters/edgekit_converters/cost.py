"""What a candidate costs on its target, against a baseline: the seam of the search.

Latency is measured on this machine when it is the target. Another machine's latency is never
stood in for: a target that cannot be measured is refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from edgekit.engines import Array
from edgekit.errors import TargetError
from edgekit.measure.environment import Environment
from edgekit.measure.latency import LatencyComparison, compare_latency
from edgekit_converters.targets import HOST, Target, host

SCREENING_CALLS = 96
MEASURING_CALLS = 480


@dataclass(frozen=True)
class Cost:
    """Candidate over baseline; below 1 the candidate is cheaper.

    Attributes:
        kind: what was measured.
        ratio: the point estimate.
        low: lower end of the 95 % interval.
        high: upper end of it.
        baseline: of one inference, in `unit`.
        candidate: likewise.
        unit: such as `ms`.
        samples: how often each side was run.
        environment: where it was measured.
    """

    kind: Literal["latency"]
    ratio: float
    low: float
    high: float
    baseline: float
    candidate: float
    unit: str
    samples: int
    environment: Environment

    @property
    def is_cheaper(self) -> bool:
        """Whether the whole interval lies below 1."""
        return self.high < 1.0

    @property
    def is_dearer(self) -> bool:
        """Whether the whole interval lies above 1."""
        return self.low > 1.0


class Meter(Protocol):
    """Compares the cost of two model files on the target."""

    def screen(self, baseline: Path, candidate: Path) -> Cost:
        """A first look: quick, with a wide interval."""

    def measure(self, baseline: Path, candidate: Path) -> Cost:
        """Enough for a decision."""


@dataclass(frozen=True)
class LocalLatency:
    """Warm latency on this machine, one thread, in turns with the baseline in fresh processes."""

    feeds: Sequence[Mapping[str, Array]]
    seed: int = 0

    def screen(self, baseline: Path, candidate: Path) -> Cost:
        """One process."""
        return as_cost(
            compare_latency(
                baseline, candidate, self.feeds,
                seed=self.seed, max_calls=SCREENING_CALLS, processes=1,
            )
        )  # fmt: skip

    def measure(self, baseline: Path, candidate: Path) -> Cost:
        """Three processes, the order of loading rotated."""
        return as_cost(
            compare_latency(
                baseline, candidate, self.feeds,
                seed=self.seed, max_calls=MEASURING_CALLS, processes=3,
            )
        )  # fmt: skip


def meter_for(target: Target, feeds: Sequence[Mapping[str, Array]], seed: int) -> Meter:
    """How cost is measured for a target.

    Raises:
        TargetError: nothing here can measure it.
    """
    check_measurable(target)
    return LocalLatency(feeds, seed)


def check_measurable(target: Target) -> None:
    """Refuse a target that this machine's latency says nothing about.

    Raises:
        TargetError: another architecture, or another set of CPU features.
    """
    here = host()
    if target.name == HOST or (target.arch, target.cpu_features) == (here.arch, here.cpu_features):
        return
    thing = f"target {target.name!r}"
    way_out = f"run edgekit on such a machine, or choose --target {HOST}"
    if target.arch != here.arch:
        problem = f"it is {target.arch}, this machine is {here.arch}: it cannot be measured here"
        raise TargetError(thing, problem, way_out)
    other = ", ".join(sorted(target.cpu_features ^ here.cpu_features))
    problem = f"this machine differs from it in {other}: figures taken here would not hold there"
    raise TargetError(thing, problem, way_out)


def as_cost(comparison: LatencyComparison) -> Cost:
    """The figures a search decides by."""
    ratio = comparison.ratio
    return Cost(
        kind="latency",
        ratio=ratio.point,
        low=ratio.low,
        high=ratio.high,
        baseline=comparison.baseline.latency_ms.p50,
        candidate=comparison.candidate.latency_ms.p50,
        unit="ms",
        samples=comparison.candidate.calls,
        environment=comparison.environment,
    )
