"""The ways to measure cost: this machine, a board, an emulated Arm CPU, a table of operations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgekit.engines import Array
from edgekit.errors import TargetError
from edgekit.measure.environment import Environment
from edgekit.measure.latency import LatencyComparison, Sampling, compare_latency
from edgekit.measure.recording import BASELINE, CANDIDATE
from edgekit.measure.samples import Samples, given_samples
from edgekit_converters.costs.cost import Cost, Kind, Place
from edgekit_converters.costs.operations import Table, measured_table
from edgekit_converters.targets import Target

if TYPE_CHECKING:
    from edgekit.measure.devices.arm import ArmDevice
    from edgekit.measure.devices.remote import BoardDevice

Feeds = Sequence[Mapping[str, Array]]
SCREENING_CALLS = 96
MEASURING_CALLS = 480
QUICK_CALLS, QUICK_S = 2, 1.0
"""Emulated calls of a first look, and CPU seconds after which one must do."""
COUNT_RESOLUTION = 0.002
"""Single counts stray by up to 0.3 %, the median of six by 0.02 % (measured)."""
TABLE_RESOLUTION = 0.25
"""Of a sum over a table: it knows neither caches nor what else a runtime does. A guess."""


@dataclass(frozen=True)
class LocalLatency:
    """Warm latency on this machine, one thread, in turns with the baseline in fresh processes."""

    feeds: Feeds
    seed: int = 0
    kind: Kind = "latency"
    is_slow: bool = False
    about: str = "latency on this machine: one thread, in turns with the model that came"

    def screen(self, baseline: Path, candidate: Path) -> Cost:
        """One process."""
        return self._compare(baseline, candidate, SCREENING_CALLS, processes=1)

    def measure(self, baseline: Path, candidate: Path) -> Cost:
        """Three processes, the order of loading rotated."""
        return self._compare(baseline, candidate, MEASURING_CALLS, processes=3)

    def _compare(self, baseline: Path, candidate: Path, calls: int, processes: int) -> Cost:
        comparison = compare_latency(
            baseline, candidate, self.feeds, seed=self.seed, max_calls=calls, processes=processes
        )
        return as_cost(comparison)


@dataclass(frozen=True)
class BoardLatency:
    """Latency on a board, otherwise as on this machine."""

    device: "BoardDevice"
    feeds: Feeds
    seed: int = 0
    kind: Kind = "latency"
    is_slow: bool = True

    @property
    def about(self) -> str:
        """See `Meter`."""
        return f"latency on {self.device.url}: one thread, in turns with the model that came"

    def screen(self, baseline: Path, candidate: Path) -> Cost:
        """One process."""
        return self._compare(baseline, candidate, SCREENING_CALLS, processes=1)

    def measure(self, baseline: Path, candidate: Path) -> Cost:
        """Three processes."""
        return self._compare(baseline, candidate, MEASURING_CALLS, processes=3)

    def _compare(self, baseline: Path, candidate: Path, calls: int, processes: int) -> Cost:
        sampling = Sampling(
            seed=self.seed, max_calls=calls, processes=processes, limits=(1.0,), max_s=120.0
        )
        sides = {BASELINE: baseline, CANDIDATE: candidate}
        return as_cost(self.device.compare(sides, given_samples(self.feeds), sampling).comparison())


def board_latency(target: Target, place: Place, feeds: Feeds, seed: int) -> BoardLatency:
    """A board, if it is of the target's kind.

    Raises:
        TargetError: another architecture, or features of the target are missing.
        DeviceError: it cannot be reached or set up.
    """
    from edgekit.measure.devices import open_device

    device: BoardDevice = open_device(place.device)  # type: ignore[assignment]
    there = device.environment()
    missing = sorted(target.cpu_features - set(there.cpu_features))
    thing, way_out = f"target {target.name!r}", "name the target that the board is"
    if there.arch != target.arch:
        problem = f"it is {target.arch}, {place.device} is {there.arch}"
        raise TargetError(thing, problem, way_out)
    if missing:
        problem = f"{place.device} lacks {', '.join(missing)}"
        raise TargetError(thing, problem, way_out)
    return BoardLatency(device, feeds, seed)


@dataclass(frozen=True)
class EmulatedInstructions:
    """Instructions of one inference on an emulated Arm CPU. They repeat: one count is enough.

    Models whose call takes long are called once: emulated floating point takes some 10 ns an
    instruction, and the noise of a count does not grow with the model.
    """

    place: Place
    feeds: Feeds
    kind: Kind = "instructions"
    is_slow: bool = True
    counted: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)

    @cached_property
    def _device(self) -> "ArmDevice":
        from edgekit.measure.devices import open_device

        return open_device(self.place.device)  # type: ignore[return-value]

    @property
    def about(self) -> str:
        """See `Meter`."""
        why = f", because {self.place.why}" if self.place.why else ""
        return f"instructions on emulated {self.place.device}, which are not time{why}"

    def screen(self, baseline: Path, candidate: Path) -> Cost:
        """Two calls with the smallest sample; one where it takes long."""
        return self._cost(self._quick(baseline), self._quick(candidate))

    def measure(self, baseline: Path, candidate: Path) -> Cost:
        """Six calls with the smallest and the middle sample; one each where it takes long."""
        return self._cost(self._thorough(baseline), self._thorough(candidate))

    @cached_property
    def _samples(self) -> tuple[Samples, Samples]:
        """The smallest and the middle one."""
        by_size = sorted(self.feeds, key=lambda feeds: sum(a.nbytes for a in feeds.values()))
        small, middle = (given_samples([by_size[at]]) for at in (0, len(by_size) // 2))
        return small, middle

    def _quick(self, path: Path) -> tuple[int, int]:
        """Instructions, and how many calls were counted."""
        return self._count(path, "smallest", calls=QUICK_CALLS, warm_calls=1, max_s=QUICK_S)

    def _thorough(self, path: Path) -> tuple[int, int]:
        instructions, calls = self._quick(path)
        small, middle = self._samples
        is_fixed = shapes_of(small) == shapes_of(middle)
        if calls == QUICK_CALLS:
            instructions, calls = self._count(path, "both")
        elif not is_fixed:
            more, more_calls = self._count(path, "middle", calls=1, warm_calls=0)
            instructions, calls = round((instructions + more) / 2), calls + more_calls
        return instructions, calls

    def _cost(self, baseline: tuple[int, int], candidate: tuple[int, int]) -> Cost:
        (before, _), (after, calls) = baseline, candidate
        ratio = after / before
        return Cost(
            kind="instructions",
            ratio=ratio,
            low=ratio * (1 - COUNT_RESOLUTION),
            high=ratio * (1 + COUNT_RESOLUTION),
            baseline=before / 1e6,
            candidate=after / 1e6,
            unit="million instructions",
            samples=calls,
            environment=self._device.environment(),
        )

    def _count(self, path: Path, which: str, **settings: Any) -> tuple[int, int]:
        """Instructions, and how many calls were counted; remembered by the file's digest."""
        from edgekit.measure.devices.counting import Counting
        from edgekit.measure.devices.lock import sha256_of

        key = sha256_of(path), which
        if key not in self.counted:
            small, middle = self._samples
            both = given_samples([*small.values, *middle.values])
            samples = {"smallest": small, "middle": middle, "both": both}[which]
            found = self._device.count(path, samples, Counting(memory=False, **settings))
            calls = sum(sample.calls for sample in found.samples)
            self.counted[key] = (found.inference.instructions, calls)
        return self.counted[key]


def shapes_of(samples: Samples) -> list[dict[str, tuple[int, ...]]]:
    """The shape of each input, by name."""
    return [{name: array.shape for name, array in feeds.items()} for feeds in samples.values]


@dataclass(frozen=True)
class OperationTable:
    """The sum of a table over a model's operators, for a target that is nowhere to be run."""

    target: Target
    place: Place
    feeds: Feeds
    environment: Environment
    kind: Kind = "operations"
    is_slow: bool = False

    @cached_property
    def _table(self) -> Table:
        return measured_table()

    @property
    def about(self) -> str:
        """See `Meter`."""
        where = self.environment.cpu or self.environment.arch
        return (
            f"the sum of a table of operations that was measured once on {where}, not on "
            f"{self.target.name}: {self.place.why}. It is an estimate and no latency"
        )

    def screen(self, baseline: Path, candidate: Path) -> Cost:
        """A sum each."""
        shapes = {name: array.shape for name, array in self.feeds[0].items()}
        before, after = (
            self._table.total_us(path.read_bytes(), shapes) for path in (baseline, candidate)
        )
        ratio = after / before if before else 1.0
        return Cost(
            kind="operations",
            ratio=ratio,
            low=ratio * (1 - TABLE_RESOLUTION),
            high=ratio * (1 + TABLE_RESOLUTION),
            baseline=before,
            candidate=after,
            unit="µs of a table",
            samples=self._table.samples,
            environment=self.environment,
        )

    def measure(self, baseline: Path, candidate: Path) -> Cost:
        """The same: a table has nothing more to tell."""
        return self.screen(baseline, candidate)


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
