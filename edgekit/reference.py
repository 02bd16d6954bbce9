"""Histograms of what a model saw and said on calibration data: a bundle's baseline for drift.

`reference/histograms.json` in a bundle holds a `Reference`. The converters write it; the gate
compares new data with it.
"""

from collections.abc import Mapping

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Struct

from edgekit.bundle import Bundle
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
    """

    low: float
    high: float
    counts: tuple[int, ...]
    below: int
    above: int
    not_finite: int


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
        self._counts = np.zeros(bins, np.int64)
        self._outside = np.zeros(3, np.int64)

    def add(self, array: Array) -> None:
        """Count every value."""
        values = array[np.isfinite(array)].astype(np.float64)
        self._counts += np.histogram(values, self._edges)[0]
        below = np.count_nonzero(values < self._edges[0])
        above = np.count_nonzero(values > self._edges[-1])
        self._outside += np.array([below, above, array.size - values.size])

    def cells(self) -> npt.NDArray[np.int64]:
        """Values below, in each bin, above, and those that are not finite: shape (bins + 3,)."""
        below, above, not_finite = self._outside
        return np.concatenate([[below], self._counts, [above, not_finite]])

    def result(self) -> Histogram:
        """What was counted."""
        below, above, not_finite = (int(each) for each in self._outside)
        low, high = float(self._edges[0]), float(self._edges[-1])
        return Histogram(low, high, tuple(self._counts.tolist()), below, above, not_finite)


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
    if not histogram.counts or min(numbers) < 0 or not histogram.low <= histogram.high:
        problem = f"{REFERENCE} has no usable histogram of {name}"
        raise BundleError(bundle.thing, problem, "pack it again")
