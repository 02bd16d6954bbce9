"""Streamed normal equations of what layers read, within a bounded memory."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from onnx import ModelProto

from edgekit.engines import Array
from edgekit_converters.prune.observe import Places, Probe, Rows, is_linear
from edgekit_converters.prune.trace import Mixer, Trace

WIDEST = 2304
"""Columns of the largest normal equations: 42 MB as float64, 256 channels with 3x3 windows."""
BUDGET_BYTES = 256 << 20
"""Of normal equations summed up at once; more of them take another run over the inputs."""


@dataclass
class Moments:
    """Streamed sums over rows of a layer's inputs.

    Attributes:
        total: of the rows, (columns,).
        products: of columns, (columns, columns), or of each column with itself, (columns,).
        count: of rows.
        calls: inferences that they came from.
    """

    total: Rows
    products: Rows
    count: int = 0
    calls: int = 0

    def add(self, rows: Array) -> None:
        """Add the rows of one inference."""
        self.calls += 1
        self.count += len(rows)
        self.total += rows.sum(axis=0, dtype=np.float64)
        if self.products.ndim == 1:
            self.products += np.square(rows).sum(axis=0, dtype=np.float64)
        else:
            self.products += rows.T @ rows

    def mean(self) -> Rows:
        """Of the rows."""
        result: Rows = self.total / max(self.count, 1)
        return result

    def mean_products(self) -> Rows:
        """Of the products; a new array."""
        result: Rows = self.products / max(self.count, 1)
        return result


def moments_of(
    model: ModelProto, mixers: Sequence[Mixer], trace: Trace, feeds: Sequence[Mapping[str, Array]]
) -> list[Moments]:
    """What each layer reads."""
    return [
        moments
        for batch in _batches(mixers, trace)
        for moments in _observe(model, batch, trace, feeds)
    ]


def _batches(mixers: Sequence[Mixer], trace: Trace) -> Iterator[list[Mixer]]:
    batch: list[Mixer] = []
    used = 0
    for mixer in mixers:
        size_bytes = 8 * _start(mixer, trace).products.size
        if batch and used + size_bytes > BUDGET_BYTES:
            yield batch
            batch, used = [], 0
        batch.append(mixer)
        used += size_bytes
    if batch:
        yield batch


def _start(mixer: Mixer, trace: Trace) -> Moments:
    shape = trace.shape(mixer.weight)
    columns = int(np.prod(shape)) // shape[mixer.out_axis]
    if is_linear(mixer) and columns <= WIDEST:
        return Moments(np.zeros(columns), np.zeros((columns, columns)))
    channels = trace.shape(mixer.source)[mixer.channel_axis]
    return Moments(np.zeros(channels), np.zeros(channels))


def _observe(
    model: ModelProto, mixers: Sequence[Mixer], trace: Trace, feeds: Sequence[Mapping[str, Array]]
) -> list[Moments]:
    found = [_start(mixer, trace) for mixer in mixers]
    names = [name for mixer in mixers for name in (mixer.source, mixer.output)]
    with Probe(model, names) as probe:
        for number, feed in enumerate(feeds):
            seen = probe.run(feed)
            for place, (mixer, moments) in enumerate(zip(mixers, found, strict=True)):
                source, output = seen[mixer.source], seen[mixer.output]
                if moments.products.ndim == 1:
                    flat = np.moveaxis(source, mixer.channel_axis, -1)
                    moments.add(flat.reshape(-1, flat.shape[-1]))
                else:
                    places = Places(mixer, trace.shape(mixer.weight)[2:], place)
                    rows = places.choose(output, number)
                    moments.add(places.inputs(source, output, rows))
    return found
