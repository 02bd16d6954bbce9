"""Least squares: the weights of each layer that lost inputs are fitted to what it said before.

Layer by layer in the order of the graph, on inputs as the pruned model has them by then, so that
each layer also makes up for what is wrong before it. Nothing is trained: one linear system for each
layer, from streamed normal equations. A fit that does not help on inputs it did not see is dropped.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, numpy_helper

from edgekit.engines import Array
from edgekit_converters.prune.moments import BUDGET_BYTES
from edgekit_converters.prune.observe import (
    ROWS,
    Places,
    Probe,
    Rows,
    from_matrix,
    is_linear,
    matrix,
)
from edgekit_converters.prune.remove import kept
from edgekit_converters.prune.trace import Mixer, Trace

WIDEST = 4608
"""Columns of the largest system solved: 170 MB as float64."""
RIDGES = (1e-3, 1e-2, 1e-1, 1.0)
"""Of the mean diagonal; the one that helps most on unseen inputs is taken."""
UNSEEN = 0.25
"""Of the inferences, kept out of the fit: the last ones, which are of other groups mostly."""


@dataclass(frozen=True)
class Fit:
    """What became of one layer.

    Attributes:
        layer: the tensor it writes.
        before: mean square error on unseen inputs, as a share of the output's mean square.
        after: likewise; the same as `before` where the fit was dropped.
    """

    layer: str
    before: float
    after: float


@dataclass(frozen=True)
class Pair:
    """The model before, and the one that is being mended, in place."""

    whole: ModelProto
    pruned: ModelProto
    trace: Trace
    removed: Collection[int]


def reconstruct(pair: Pair, feeds: Sequence[Mapping[str, Array]], seed: int) -> Iterator[Fit]:
    """Mend the pruned model layer by layer; needs a few inferences to fit and to check."""
    uses = Counter(name for node in pair.whole.graph.node for name in node.input)
    mending = [mixer for mixer in pair.trace.mixers if _is_mendable(mixer, pair, uses)]
    places = [
        Places(mixer, pair.trace.shape(mixer.weight)[2:], seed + number)
        for number, mixer in enumerate(mending)
    ]
    for batch in _batches(places, pair, len(feeds)):
        wanted = targets(pair, batch, feeds)
        for place in batch:
            yield mend(pair, place, feeds, wanted[place.mixer.output])


def _is_mendable(mixer: Mixer, pair: Pair, uses: Mapping[str, int]) -> bool:
    if mixer.inputs is None or kept(pair.trace, mixer.inputs, pair.removed).all():
        return False
    stored = [mixer.weight, *(mixer.node.input[2:3] if mixer.has_bias else [])]
    is_own = all(uses[name] == 1 and name in pair.trace.constants for name in stored)
    return is_own and is_linear(mixer) and _columns(mixer, pair) <= WIDEST


def _columns(mixer: Mixer, pair: Pair) -> int:
    assert mixer.inputs is not None
    shape = pair.trace.shape(mixer.weight)
    each = int(np.prod(shape)) // (shape[mixer.out_axis] * shape[mixer.in_axis])
    return each * int(kept(pair.trace, mixer.inputs, pair.removed).sum())


def _batches(places: Sequence[Places], pair: Pair, calls: int) -> Iterator[list[Places]]:
    """Layers whose targets fit in memory together."""
    batch: list[Places] = []
    used = 0
    for place in places:
        size_bytes = 4 * calls * ROWS * len(place.mixer.outputs)
        if batch and used + size_bytes > BUDGET_BYTES:
            yield batch
            batch, used = [], 0
        batch.append(place)
        used += size_bytes
    if batch:
        yield batch


def targets(
    pair: Pair, places: Sequence[Places], feeds: Sequence[Mapping[str, Array]]
) -> dict[str, list[Array]]:
    """Rows of what layers said before, by the tensor they write, for each inference."""
    found: dict[str, list[Array]] = {place.mixer.output: [] for place in places}
    with Probe(pair.whole, list(found)) as probe:
        for number, feed in enumerate(feeds):
            seen = probe.run(feed)
            for place in places:
                output = seen[place.mixer.output]
                written = kept(pair.trace, place.mixer.outputs, pair.removed)
                rows = place.choose(output, number)
                found[place.mixer.output].append(place.outputs(output, rows)[:, written])
    return found


def mend(
    pair: Pair, place: Places, feeds: Sequence[Mapping[str, Array]], wanted: Sequence[Array]
) -> Fit:
    """Fit one layer."""
    mixer = place.mixer
    stored = {tensor.name: tensor for tensor in pair.pruned.graph.initializer}
    width = _columns(mixer, pair) + (_bias(mixer, stored) is not None)
    fitting, checking = (
        Sums(np.zeros((width, width)), np.zeros((width, wanted[0].shape[1]))) for _ in range(2)
    )
    with Probe(pair.pruned, [mixer.source, mixer.output]) as probe:
        for number, (feed, target) in enumerate(zip(feeds, wanted, strict=True)):
            seen = probe.run(feed)
            rows = place.choose(seen[mixer.output], number)
            inputs = place.inputs(seen[mixer.source], seen[mixer.output], rows)
            if inputs.shape[1] < width:
                inputs = np.hstack([inputs, np.ones((len(inputs), 1), inputs.dtype)])
            sums = checking if number >= (1 - UNSEEN) * len(feeds) else fitting
            sums.add(inputs, target, place.outputs(seen[mixer.output], rows))
    before = checking.error(None)
    changes = [fitting.solve(ridge) for ridge in RIDGES]
    errors = [checking.error(change) for change in changes]
    best = int(np.argmin(errors))
    if not errors[best] < before:
        return Fit(mixer.output, before, before)
    _apply(mixer, stored, changes[best])
    return Fit(mixer.output, before, errors[best])


@dataclass
class Sums:
    """Streamed normal equations of what is left to explain."""

    equations: Rows
    targets: Rows
    rest: float = 0.0
    whole: float = 0.0

    def add(self, inputs: Array, wanted: Array, found: Array) -> None:
        """Add rows of the inputs and of both outputs."""
        rest = wanted - found
        self.equations += inputs.T @ inputs
        self.targets += inputs.T @ rest
        self.rest += float(np.square(rest).sum())
        self.whole += float(np.square(wanted).sum())

    def solve(self, ridge: float) -> Rows:
        """The change of the weights, (columns, channels written)."""
        damping = ridge * max(float(np.trace(self.equations)) / len(self.equations), 1e-12)
        damped = self.equations + damping * np.eye(len(self.equations))
        result: Rows = np.linalg.solve(damped, self.targets).astype(np.float64)
        return result

    def error(self, change: Rows | None) -> float:
        """What a change would leave, as a share of the output's mean square."""
        left = self.rest
        if change is not None:
            left += float((change * (self.equations @ change)).sum())
            left -= 2 * float((change * self.targets).sum())
        return left / max(self.whole, 1e-30)


def _bias(mixer: Mixer, stored: Mapping[str, TensorProto]) -> NDArray[np.float32] | None:
    """The layer's bias where it has one value for each channel written."""
    if not mixer.has_bias:
        return None
    weight = stored[mixer.weight].dims
    array = numpy_helper.to_array(stored[mixer.node.input[2]])
    return array if array.shape == (weight[mixer.out_axis],) else None


def _apply(mixer: Mixer, stored: Mapping[str, TensorProto], change: Rows) -> None:
    old = numpy_helper.to_array(stored[mixer.weight])
    bias = _bias(mixer, stored)
    if bias is not None:
        name = mixer.node.input[2]
        stored[name].CopyFrom(numpy_helper.from_array((bias + change[-1]).astype(bias.dtype), name))
        change = change[:-1]
    new = from_matrix(mixer, matrix(mixer, old) + change.T, old)
    stored[mixer.weight].CopyFrom(numpy_helper.from_array(new, mixer.weight))
