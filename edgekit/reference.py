"""Histograms of what a model saw and said on calibration data: a bundle's baseline for drift.

`reference/histograms.json` in a bundle holds a `Reference`. The converters write it; the gate
compares new data with it, and `synthetic.py` draws from it.
"""

import math
from collections.abc import Mapping

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Struct

from edgekit.bundle import Bundle
from edgekit.distance import effective_size
from edgekit.engines import Array
from edgekit.errors import BundleError

REFERENCE = "reference/histograms.json"
BINS = 64
SCHEMA = 1


class Histogram(Struct, frozen=True):
    """Counts of a tensor's values in equal bins from `low` to `high`.

    Attributes:
        low: left edge of the first bin.
        high: right edge of the last.
        counts: of each bin.
        below: values under `low`.
        above: values over `high`.
        not_finite: values that are infinite or no numbers; in no bin.
        groups: independent groups that the values came from; 0 where nobody told.
        effective_values: as how many independent values they count, see `effective_size`.
    """

    low: float
    high: float
    counts: tuple[int, ...]
    below: int
    above: int
    not_finite: int
    groups: int = 0
    effective_values: float = 0.0

    def cells(self) -> npt.NDArray[np.int64]:
        """Values below, in each bin, above, and those that are not finite: shape (bins + 3,)."""
        return np.array([self.below, *self.counts, self.above, self.not_finite], np.int64)

    def counter(self) -> "Counter":
        """An empty counter with the same bins."""
        return Counter(self.low, self.high, len(self.counts))


class Reference(Struct, frozen=True):
    """The content of `reference/histograms.json`.

    Attributes:
        schema: version of this format.
        calls: inferences that were observed.
        inputs: of each model input that has numbers.
        outputs: likewise.
    """

    schema: int
    calls: int
    inputs: dict[str, Histogram]
    outputs: dict[str, Histogram]

    def tensors(self) -> Mapping[str, Histogram]:
        """All of them, by `input NAME` and `output NAME`."""
        return {f"input {name}": each for name, each in self.inputs.items()} | {
            f"output {name}": each for name, each in self.outputs.items()
        }


class Counter:
    """A histogram while it fills.

    Args:
        low: left edge of the first bin.
        high: right edge of the last; moved up where it is not above `low`.
        bins: how many there are.
    """

    def __init__(self, low: float, high: float, bins: int = BINS) -> None:
        self._edges = np.linspace(low, max(high, np.nextafter(low, np.inf)), bins + 1)
        self._groups: dict[str, npt.NDArray[np.int64]] = {}

    def add(self, array: Array, group: str = "") -> None:
        """Count every value.

        Args:
            array: of numbers.
            group: what its values have in common with others, such as a speaker.
        """
        values = array[np.isfinite(array)].astype(np.float64)
        below = np.count_nonzero(values < self._edges[0])
        above = np.count_nonzero(values > self._edges[-1])
        bins = np.histogram(values, self._edges)[0]
        cells = np.concatenate([[below], bins, [above, array.size - values.size]])
        self._groups[group] = self._groups.get(group, np.int64(0)) + cells

    def by_group(self) -> npt.NDArray[np.int64]:
        """The `cells` of each group: shape (groups, bins + 3)."""
        return np.array(list(self._groups.values()), np.int64).reshape(-1, self._edges.size + 2)

    def cells(self) -> npt.NDArray[np.int64]:
        """Values below, in each bin, above, and those that are not finite: shape (bins + 3,)."""
        cells: npt.NDArray[np.int64] = self.by_group().sum(axis=0)
        return cells

    def result(self) -> Histogram:
        """What was counted."""
        below, *counts, above, not_finite = self.cells().tolist()
        low, high = float(self._edges[0]), float(self._edges[-1])
        size = effective_size(self.by_group())
        groups = len(self._groups)
        return Histogram(low, high, tuple(counts), below, above, not_finite, groups, size)


def read_reference(bundle: Bundle) -> Reference | None:
    """The reference of a bundle; None where it has none.

    Raises:
        BundleError: the file is malformed or of another schema.
    """
    if REFERENCE not in bundle.names:
        return None
    try:
        reference = msgspec.json.decode(bundle.read(REFERENCE), type=Reference)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        problem = f"{REFERENCE} cannot be read: {error}"
        raise BundleError(bundle.thing, problem, "pack it again") from error
    if reference.schema != SCHEMA:
        problem = f"{REFERENCE} has schema {reference.schema}, this edgekit reads schema {SCHEMA}"
        raise BundleError(bundle.thing, problem, "install the edgekit that wrote the bundle")
    for name, each in reference.tensors().items():
        _check(bundle, name, each)
    return reference


def _check(bundle: Bundle, name: str, histogram: Histogram) -> None:
    numbers = (*histogram.counts, histogram.below, histogram.above, histogram.not_finite)
    sizes = (histogram.groups, histogram.effective_values)
    if (
        not histogram.counts
        or min(*numbers, *sizes) < 0
        or not -math.inf < histogram.low <= histogram.high < math.inf
        or not math.isfinite(histogram.effective_values)
    ):
        problem = f"{REFERENCE} has no usable histogram of {name}"
        raise BundleError(bundle.thing, problem, "pack it again")
