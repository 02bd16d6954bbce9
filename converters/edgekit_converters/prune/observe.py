"""What weighted operators see on real inputs: rows of their products, a few of each inference."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from types import TracebackType

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper

from edgekit.engines import Array, open_engine
from edgekit_converters.graph import attribute, copy_of
from edgekit_converters.passes.dead_ends import DeadEnds
from edgekit_converters.prune.trace import Mixer

Rows = NDArray[np.float64]
ROWS = 64
"""Taken from each inference: neighbouring pixels say much the same."""


class Probe:
    """A model cut off behind the tensors asked for, which it returns."""

    def __init__(self, model: ModelProto, names: Sequence[str]) -> None:
        cut = copy_of(model)
        given = {info.name for info in cut.graph.input}
        self._names = tuple(dict.fromkeys(names))
        del cut.graph.output[:]
        del cut.graph.value_info[:]
        for name in self._names:
            if name not in given:
                info = helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
                cut.graph.output.append(info)
        self._engine = None
        if cut.graph.output:
            content = DeadEnds().apply(cut).SerializeToString()
            self._engine = open_engine("onnxruntime", content)

    def __enter__(self) -> "Probe":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._engine is not None:
            self._engine.close()

    def run(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """The tensors of one inference; inputs of the model may be among them."""
        found = {name: feeds[name] for name in self._names if name in feeds}
        if self._engine is not None:
            wanted = {tensor.name: feeds[tensor.name] for tensor in self._engine.inputs}
            found |= self._engine.run(wanted)
        return found


@dataclass(frozen=True)
class Places:
    """Which rows of an operator's product are looked at: the same ones in two models."""

    mixer: Mixer
    kernel: tuple[int, ...]
    seed: int

    def choose(self, output: Array, number: int) -> NDArray[np.int64]:
        """Row numbers for one inference; the output's shape tells how many there are."""
        count = output.size // max(output.shape[self.mixer.channel_axis], 1)
        rng = np.random.default_rng([self.seed, number])
        return np.sort(rng.permutation(count)[:ROWS])

    def outputs(self, output: Array, rows: NDArray[np.int64]) -> Array:
        """Rows of the output: (rows, channels written)."""
        flat = np.moveaxis(output, self.mixer.channel_axis, -1)
        return flat.reshape(-1, flat.shape[-1])[rows]

    def inputs(self, source: Array, output: Array, rows: NDArray[np.int64]) -> Array:
        """What the rows are computed from: (rows, channels read x kernel)."""
        if self.mixer.node.op_type != "Conv":
            return source.reshape(-1, source.shape[-1])[rows]
        return patches(self.mixer.node, source, output, self.kernel, rows)


def patches(
    node: NodeProto, source: Array, output: Array, kernel: tuple[int, ...], rows: Array
) -> Array:
    """Windows of a convolution's input, the kernel's places after each channel."""
    rank = len(kernel)
    strides = attribute(node, "strides", [1] * rank)
    dilations = attribute(node, "dilations", [1] * rank)
    padded = np.pad(source, [(0, 0), (0, 0), *_padding(node, source, output, kernel)])
    spatial = output.shape[2:]
    sample, *places = np.unravel_index(rows, (output.shape[0], *spatial))
    columns = []
    for offset in product(*(range(size) for size in kernel)):
        index = [
            place * stride + step * dilation
            for place, stride, step, dilation in zip(
                places, strides, offset, dilations, strict=True
            )
        ]
        columns.append(padded[(sample, slice(None), *index)])
    stacked = np.stack(columns, axis=-1)
    return stacked.reshape(len(rows), int(np.prod(stacked.shape[1:])))  # -1 is refused of no rows


def _padding(
    node: NodeProto, source: Array, output: Array, kernel: tuple[int, ...]
) -> Iterator[tuple[int, int]]:
    """Before and after each spatial axis."""
    rank = len(kernel)
    mode = attribute(node, "auto_pad", b"NOTSET")
    pads = attribute(node, "pads", [0] * 2 * rank)
    strides = attribute(node, "strides", [1] * rank)
    dilations = attribute(node, "dilations", [1] * rank)
    for axis in range(rank):
        if mode in (b"SAME_UPPER", b"SAME_LOWER"):
            reach = dilations[axis] * (kernel[axis] - 1) + 1
            covered = (output.shape[2 + axis] - 1) * strides[axis] + reach
            total = max(0, covered - source.shape[2 + axis])
            less, more = total // 2, total - total // 2
            yield (less, more) if mode == b"SAME_UPPER" else (more, less)
        elif mode == b"VALID":
            yield 0, 0
        else:
            yield pads[axis], pads[axis + rank]


def is_linear(mixer: Mixer) -> bool:
    """Whether rows of its inputs times a matrix are rows of its output."""
    node = mixer.node
    if node.op_type == "Gemm":
        return bool(attribute(node, "alpha", 1.0) == 1 and attribute(node, "beta", 1.0) == 1)
    return node.op_type == "MatMul" or (node.op_type == "Conv" and mixer.groups == 1)


def matrix(mixer: Mixer, weight: Array) -> Rows:
    """A weight as (channels written, channels read x kernel)."""
    ordered = np.moveaxis(weight, (mixer.out_axis, mixer.in_axis), (0, 1))
    return ordered.reshape(ordered.shape[0], -1).astype(np.float64)


def from_matrix(mixer: Mixer, values: Rows, like: Array) -> Array:
    """The weight that `matrix` was of."""
    ordered = np.moveaxis(like, (mixer.out_axis, mixer.in_axis), (0, 1))
    back = values.reshape(ordered.shape).astype(like.dtype)
    return np.ascontiguousarray(np.moveaxis(back, (0, 1), (mixer.out_axis, mixer.in_axis)))
