"""How often a tensor has which values, in bins that need no range beforehand.

A value's bin is the upper half of its float32 pattern: sign, exponent and 7 bits of the fraction,
so that a bin is at most 1/128 of its value wide, whatever the range. A tally takes 512 KiB; what is
kept of it are the few thousand bins that have counts.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from edgekit.engines import Array
from edgekit.errors import ModelError

BINS = 1 << 16
TALLY_BYTES = BINS * 8
_CHUNK = 1 << 17
"""Elements counted at once: more would only make the working copy larger."""
_FEW = 4096
"""Below this many elements, counting one by one is faster than going over all bins."""

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Histogram:
    """Counts of values in bins of rising value.

    Attributes:
        lows: (bins,) the least value of each bin that has counts.
        highs: (bins,) the greatest; equal to `lows` for the bin of zero.
        counts: (bins,) how many values.
        low: the least value seen, exactly.
        high: the greatest.
    """

    lows: Floats = field(repr=False)
    highs: Floats = field(repr=False)
    counts: Counts = field(repr=False)
    low: float
    high: float

    @property
    def total(self) -> int:
        """How many values there were."""
        return int(self.counts.sum())

    @property
    def centres(self) -> Floats:
        """(bins,) the value that stands for each bin."""
        middles: Floats = (self.lows + self.highs) / 2
        return middles

    def quantile(self, share: float) -> float:
        """The value that `share` of all values do not exceed, to 1/128 of it."""
        wanted = share * self.total
        reached = np.cumsum(self.counts)
        at = min(int(np.searchsorted(reached, wanted)), len(self.counts) - 1)
        inside = (wanted - (reached[at] - self.counts[at])) / self.counts[at]
        value = self.lows[at] + min(max(inside, 0.0), 1.0) * (self.highs[at] - self.lows[at])
        return float(min(max(value, self.low), self.high))


@dataclass
class Tally:
    """A histogram that grows."""

    counts: Counts = field(default_factory=lambda: np.zeros(BINS, np.int64))
    low: float = np.inf
    high: float = -np.inf

    def add(self, tensor: str, values: Array) -> None:
        """Count float32 values of any shape.

        Raises:
            ModelError: there is NaN among them.
        """
        if not values.size:
            return
        flat = np.ascontiguousarray(values).reshape(-1)
        low, high = float(flat.min()), float(flat.max())
        if np.isnan(low) or np.isnan(high):
            problem = "it has NaN on a calibration sample"
            raise ModelError(f"tensor {tensor!r}", problem, "check the samples and the model")
        self.low, self.high = min(self.low, low), max(self.high, high)
        patterns = flat.view(np.uint32)
        for start in range(0, len(patterns), _CHUNK):
            keys = (patterns[start : start + _CHUNK] >> 16).astype(np.int64)
            if len(keys) < _FEW:
                np.add.at(self.counts, keys, 1)
            else:
                self.counts += np.bincount(keys, minlength=BINS)

    def histogram(self) -> Histogram:
        """What was counted so far."""
        keys = np.flatnonzero(self.counts)
        order = np.concatenate([keys[keys >= BINS // 2][::-1], keys[keys < BINS // 2]])
        patterns = order.astype(np.uint32) << 16
        is_infinite = (order & 0x7F80) == 0x7F80
        is_tiny = (order & 0x7F80) == 0  # zero and what is below the normal numbers
        inner = patterns.view(np.float32).astype(np.float64)
        outer = np.where(is_infinite, patterns, patterns | 0xFFFF).view(np.float32)
        inner, outer = np.where(is_tiny, 0.0, inner), np.where(is_tiny, 0.0, outer)
        lows = np.clip(np.minimum(inner, outer), self.low, self.high)
        highs = np.clip(np.maximum(inner, outer), self.low, self.high)
        return Histogram(lows, highs, self.counts[order], self.low, self.high)
