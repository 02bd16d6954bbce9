"""How many units go from which group: the least harm for the work they save."""

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from edgekit_converters.prune.ranking import Ranking
from edgekit_converters.prune.trace import Mixer, Trace
from edgekit_converters.prune.units import Ids


@dataclass
class Work:
    """Multiplications of one layer that mixes channels, as units go."""

    inputs: Ids | None
    outputs: Ids
    each: float
    read: NDArray[np.bool_]
    written: NDArray[np.bool_]

    def total(self) -> float:
        """Multiplications left."""
        return self.each * int(self.read.sum()) * int(self.written.sum())

    def after(self, units: Iterable[int]) -> float:
        """Multiplications left if these went too."""
        read = self.read if self.inputs is None else self.read & ~_among(self.inputs, units)
        written = self.written & ~_among(self.outputs, units)
        return self.each * int(read.sum()) * int(written.sum())

    def drop(self, units: Iterable[int]) -> None:
        """Let units go."""
        if self.inputs is not None:
            self.read &= ~_among(self.inputs, units)
        self.written &= ~_among(self.outputs, units)


def _among(ids: Ids, units: Iterable[int]) -> NDArray[np.bool_]:
    return np.isin(ids, list(units))


@dataclass
class Ledger:
    """The work of a whole model."""

    works: list[Work] = field(default_factory=list)

    def total(self) -> float:
        """Multiplications of all layers that mix channels."""
        return sum(work.total() for work in self.works)

    def saved(self, units: Iterable[int]) -> float:
        """What would be saved if these units went."""
        return sum(work.total() - work.after(units) for work in self.works)

    def drop(self, units: Iterable[int]) -> None:
        """Let units go."""
        for work in self.works:
            work.drop(units)


def ledger(trace: Trace) -> Ledger:
    """The work of a model as it is."""
    return Ledger([_work(mixer, trace) for mixer in trace.mixers])


def _work(mixer: Mixer, trace: Trace) -> Work:
    weight = trace.shape(mixer.weight)
    moved = mixer.source if mixer.node.op_type == "ConvTranspose" else mixer.output
    shape = trace.shape(moved)
    rows = int(np.prod(shape)) // shape[mixer.channel_axis]
    read, written = weight[mixer.in_axis], weight[mixer.out_axis]
    each = rows * int(np.prod(weight)) / (read * written)
    inputs = None if mixer.inputs is None else trace.units.roots(mixer.inputs)
    outputs = trace.units.roots(mixer.outputs)
    return Work(inputs, outputs, each, np.ones(read, np.bool_), np.ones(written, np.bool_))


def allocate(
    ranked: Mapping[str, Ranking], work: Ledger, share: float
) -> tuple[frozenset[int], float]:
    """Choose steps until the share of the work is saved, or nothing is left to take.

    Args:
        ranked: each group's ranking; is spent.
        work: of the whole model; is spent.
        share: of the multiplications to save, 0 to 1.

    Returns:
        The units that go and the share saved.
    """
    whole = work.total()
    queue: list[tuple[float, str, tuple[int, ...]]] = []

    def offer(name: str) -> None:
        if step := ranked[name].next():
            price = step.harm / max(work.saved(step.units), 1e-12)
            heapq.heappush(queue, (price, name, step.units))

    for name in ranked:
        offer(name)
    removed: set[int] = set()
    while queue and work.total() > (1 - share) * whole:
        _, name, units = heapq.heappop(queue)
        removed.update(units)
        work.drop(units)
        offer(name)
    return frozenset(removed), 1 - work.total() / whole if whole else 0.0
