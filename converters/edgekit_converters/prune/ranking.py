"""In which order the channels of each group go, worked out only as far as somebody asks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from onnx import ModelProto

from edgekit.engines import Array, open_engine
from edgekit_converters.prune.importance import Listener, listener
from edgekit_converters.prune.moments import moments_of
from edgekit_converters.prune.remove import with_zeroed
from edgekit_converters.prune.trace import Trace
from edgekit_converters.prune.units import Group

MOST = 0.5
"""The most of a group that may go."""
ECHO_FEEDS = 8
"""Inputs on which the outputs are compared."""
QUIETEST = 1e-9
"""An error that counts as none."""


@dataclass(frozen=True)
class Step:
    """Units that go at once, so that the width stays aligned.

    Attributes:
        units: representatives.
        harm: the error in the model's outputs that is expected, as a share of their variance.
    """

    units: tuple[int, ...]
    harm: float


@dataclass
class Ranking:
    """One group, while its units go.

    Attributes:
        left: units still there.
        sizes: how many units each further step takes.
        listeners: of this group only; they are spent.
        echo: error in the outputs for one of error in what the listeners write.
    """

    left: list[int]
    sizes: list[int]
    listeners: Sequence[Listener]
    echo: float = 1.0

    def next(self) -> Step | None:
        """Take the next step, None where no more may go."""
        if not self.sizes:
            return None
        size = self.sizes.pop(0)
        order = self.order()
        going, self.left = tuple(order[:size]), order[size:]
        return Step(going, self.echo * sum(each.drop(going) for each in self.listeners))

    def order(self) -> list[int]:
        """Units still there, the least missed first."""
        missed = sum((each.missed(self.left) for each in self.listeners), np.zeros(len(self.left)))
        return [self.left[place] for place in np.argsort(missed, kind="stable").tolist()]


@dataclass(frozen=True)
class Scene:
    """A model with what is known of it."""

    model: ModelProto
    trace: Trace
    feeds: Sequence[Mapping[str, Array]]
    _answers: dict[str, list[Mapping[str, Array]]] = field(default_factory=dict)

    def echo(self, ranking: Ranking) -> float:
        """How loud an error of this group is in the outputs: some middling units are silenced.

        Every later layer has a say in it, so it is measured, not derived.
        """
        middle = len(ranking.left) // 2
        units = ranking.order()[middle : middle + (ranking.sizes or [1])[0]]
        error = sum(float(each.brought[each.places(units)].sum()) for each in ranking.listeners)
        if error < QUIETEST:
            return 1.0
        silenced = with_zeroed(self.model, self.trace, units)
        return max(self._error(self._run(silenced)), QUIETEST) / error

    def _error(self, found: list[Mapping[str, Array]]) -> float:
        if "whole" not in self._answers:
            self._answers["whole"] = self._run(self.model)
        shares = []
        for before, after in zip(self._answers["whole"], found, strict=True):
            for name, wanted in before.items():
                if wanted.dtype.kind == "f" and wanted.size > 1:
                    gap = np.square(after[name] - wanted, dtype=np.float64).mean()
                    shares.append(gap / max(float(wanted.var(dtype=np.float64)), QUIETEST))
        return float(np.mean(shares)) if shares else 0.0

    def _run(self, model: ModelProto) -> list[Mapping[str, Array]]:
        engine = open_engine("onnxruntime", model.SerializeToString())
        try:
            return [engine.run(feed) for feed in self.feeds[:: -(-len(self.feeds) // ECHO_FEEDS)]]
        finally:
            engine.close()


def rank(scene: Scene, groups: Sequence[Group], align: int) -> dict[str, Ranking]:
    """A ranking of each group that can lose units, by the group's name."""
    trace = scene.trace
    wanted = {unit for group in groups if step_sizes(group, align) for unit in group.units}
    listening = [
        mixer
        for mixer in trace.mixers
        if mixer.inputs is not None and wanted & set(trace.units.roots(mixer.inputs).tolist())
    ]
    moments = moments_of(scene.model, listening, trace, scene.feeds)
    listeners = [listener(*each, trace) for each in zip(listening, moments, strict=True)]
    found = {}
    for group in groups:
        if sizes := step_sizes(group, align):
            ranking = Ranking(list(group.units), sizes, _hearing(group, listeners))
            ranking.echo = scene.echo(ranking)
            found[group.name] = ranking
    return found


def _hearing(group: Group, listeners: Sequence[Listener]) -> list[Listener]:
    return [each.copy() for each in listeners if not each.columns.keys().isdisjoint(group.units)]


def step_sizes(group: Group, align: int) -> list[int]:
    """How many units each step takes, so that what stays is a multiple of `align` wide."""
    count, share = len(group.units), group.share
    fitting = [
        kept
        for kept in range(count - 1, 0, -1)
        if kept * share % align == 0 and kept >= (1 - MOST) * count
    ]
    stops = [count, *fitting]
    return [wide - narrow for wide, narrow in zip(stops, fitting, strict=False)]
