"""What a task feeds a model: a few calls in full, and every combination of sizes that occurs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from edgekit.engines import Array
from edgekit_converters.calibration.calibrate import FeedSampler

Sizes: TypeAlias = tuple[tuple[str, str, tuple[int, ...]], ...]
"""Name, dtype and shape of each input of one call."""


@dataclass
class Calls:
    """A watcher of calls.

    Attributes:
        seed: of the choice of calls that are kept.
        sizes: every combination that occurred, on either split.
    """

    seed: int
    sizes: set[Sizes] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._sampler = FeedSampler(self.seed)

    @property
    def kept(self) -> list[dict[str, Array]]:
        """Some calls on the calibration split, drawn evenly."""
        return self._sampler.kept

    def calibrating(self, feeds: Mapping[str, Array]) -> None:
        """A call on the calibration split."""
        self._sampler.add(feeds)
        self.evaluating(feeds)

    def evaluating(self, feeds: Mapping[str, Array]) -> None:
        """A call on the evaluation split: only its sizes are looked at."""
        self.sizes.add(
            tuple((name, _dtype(array), array.shape) for name, array in sorted(feeds.items()))
        )

    def without_elements(self) -> list[str]:
        """Inputs that were empty in every call."""
        fed = {name for sizes in self.sizes for name, _dtype, shape in sizes if 0 not in shape}
        return sorted({name for sizes in self.sizes for name, _, _ in sizes} - fed)

    def every_shape(self, count: int) -> list[dict[str, Array]]:
        """The first `count` kept calls, then empty ones for every other combination of sizes."""
        blank = [
            {name: np.broadcast_to(np.zeros((), dtype), shape) for name, dtype, shape in sizes}
            for sizes in sorted(self.sizes)
        ]
        return [*self.kept[:count], *blank]


def _dtype(array: Array) -> str:
    """The dtype as NumPy writes it; strings of any length are one."""
    return "<U1" if array.dtype.kind in "OSU" else array.dtype.str
