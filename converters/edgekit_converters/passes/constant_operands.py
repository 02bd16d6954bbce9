"""Gives constants of elementwise operators the shape that the runtime's inner loop likes."""

import math
from dataclasses import dataclass

import numpy as np
from onnx import ModelProto, NodeProto

from edgekit_converters.passes.dead_ends import remove_unread
from edgekit_converters.passes.draft import Draft, is_op

ELEMENTWISE = ("Add", "Sub", "Mul", "Div", "Pow", "Min", "Max", "Greater", "Less", "Equal")
LARGEST_SPAN = 16
"""Of trailing sizes that a constant is repeated over; a longer inner loop is long enough."""
MOST_ELEMENTS = 65536


@dataclass(frozen=True)
class ConstantOperands:
    """A constant of one number becomes a scalar; one of trailing size 1 is repeated.

    onnxruntime broadcasts in runs as long as the trailing sizes agree. For (…, 309, 1) times a
    vector of one that is a run of one number: 50 times slower than times a scalar.
    """

    name: str = "constant-operands"
    tolerance: float = 1e-5  # the runtime may fuse what it now sees

    def unneeded(self, model: ModelProto) -> str | None:
        """Always worth a look."""
        return None

    def apply(self, model: ModelProto) -> ModelProto:
        """Rewrite in place."""
        draft = Draft(model)
        for node in draft.nodes:
            if is_op(node, *ELEMENTWISE) and len(node.input) == 2:
                _reshape(draft, node, 0, 1)
                _reshape(draft, node, 1, 0)
        remove_unread(model)
        return model


def _reshape(draft: Draft, node: NodeProto, constant: int, other: int) -> None:
    array = draft.array(node.input[constant])
    shape = draft.shape(node.input[other])
    if array is None or shape is None or draft.array(node.input[other]) is not None:
        return
    if array.ndim == 0 or array.ndim > len(shape):
        return
    if array.size == 1:
        node.input[constant] = draft.store(array.reshape(()), f"{node.input[constant]}_scalar")
        return
    ones = len(array.shape) - len(np.trim_zeros([size - 1 for size in array.shape], "b"))
    span = shape[len(shape) - ones :] if ones else ()
    sizes = [size for size in span if isinstance(size, int)]
    repeats = math.prod(sizes)
    if len(sizes) != ones or not 1 < repeats <= LARGEST_SPAN:
        return
    if array.size * repeats <= MOST_ELEMENTS:
        wide = np.broadcast_to(array, (*array.shape[: array.ndim - ones], *sizes))
        node.input[constant] = draft.store(wide, f"{node.input[constant]}_wide")
