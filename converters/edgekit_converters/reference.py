"""Histograms of what the model sees and says on calibration data: the baseline for drift."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from msgspec import Struct

from edgekit.engines import Array
from edgekit.task import Task
from edgekit_converters.calibrate import SPLIT, Ranges
from edgekit_converters.evaluate import running

BINS = 64


class Histogram(Struct, frozen=True):
    """Counts of a tensor's values in equal bins from `low` to `high`.

    Attributes:
        low: left edge of the first bin.
        high: right edge of the last.
        counts: of each bin.
        below: values under `low`.
        above: values over `high`.
        not_finite: values that are infinite or no numbers; in no bin.
    """

    low: float
    high: float
    counts: tuple[int, ...]
    below: int
    above: int
    not_finite: int


class Reference(Struct, frozen=True):
    """The content of `reference/histograms.json`."""

    schema: int
    calls: int
    inputs: dict[str, Histogram]
    outputs: dict[str, Histogram]


class Counter:
    """A histogram while it fills."""

    def __init__(self, low: float, high: float) -> None:
        self._edges = np.linspace(low, max(high, np.nextafter(low, np.inf)), BINS + 1)
        self._counts = np.zeros(BINS, np.int64)
        self._outside = np.zeros(3, np.int64)

    def add(self, array: Array) -> None:
        """Count every value."""
        values = array[np.isfinite(array)].astype(np.float64)
        self._counts += np.histogram(values, self._edges)[0]
        below = np.count_nonzero(values < self._edges[0])
        above = np.count_nonzero(values > self._edges[-1])
        self._outside += np.array([below, above, array.size - values.size])

    def result(self) -> Histogram:
        """What was counted."""
        below, above, not_finite = (int(each) for each in self._outside)
        low, high = float(self._edges[0]), float(self._edges[-1])
        return Histogram(low, high, tuple(self._counts.tolist()), below, above, not_finite)


def observe(model: Path, task: Task, ranges: Ranges) -> Reference:
    """Run the calibration split once more, through the model that is packed.

    Args:
        model: its file.
        task: whose `predict` feeds it.
        ranges: of the clean fp32 model; they place the bins. Tensors without one are left out.
    """
    usable = {name: each for name, each in ranges.items() if each.is_usable}
    inputs: dict[str, Counter] = {}
    outputs: dict[str, Counter] = {}
    calls = 0

    def add(counters: dict[str, Counter], tensors: Mapping[str, Array]) -> None:
        for name in tensors.keys() & usable.keys():
            each = usable[name]
            counters.setdefault(name, Counter(each.low, each.high)).add(tensors[name])

    with running(model) as run:

        def watched(feeds: Mapping[str, Array]) -> dict[str, Array]:
            nonlocal calls
            calls += 1
            found = run(feeds)
            add(inputs, feeds)
            add(outputs, found)
            return found

        for raw, _label, _group in task.samples(SPLIT):
            task.predict(watched, raw)
    made = ({name: each.result() for name, each in sorted(c.items())} for c in (inputs, outputs))
    return Reference(1, calls, *made)
