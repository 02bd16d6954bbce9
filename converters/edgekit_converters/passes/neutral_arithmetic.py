"""Removes arithmetic that changes nothing, and writes powers as what they are."""

from dataclasses import dataclass

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, TensorProto, helper

from edgekit_converters.graph import attribute
from edgekit_converters.passes.dead_ends import remove_unread
from edgekit_converters.passes.draft import Draft, is_op

NEUTRAL = {"Add": 0.0, "Sub": 0.0, "Mul": 1.0, "Div": 1.0, "Pow": 1.0}
COMMUTES = ("Add", "Mul")
INTEGERS = (TensorProto.INT64, TensorProto.INT32)


@dataclass(frozen=True)
class NeutralArithmetic:
    """x + 0, x · 1, integer · 0, a Cast to the same type; x² as x · x, which the runtime fuses.

    Exporters keep an unused input alive as `0 · input` added to a result.
    """

    name: str = "neutral-arithmetic"
    tolerance: float = 1e-5  # the runtime may fuse what it now sees

    def unneeded(self, model: ModelProto) -> str | None:
        """Always worth a look."""
        return None

    def apply(self, model: ModelProto) -> ModelProto:
        """One sweep, front to back: what a zero makes zero is found too."""
        draft = Draft(model)
        renamed: dict[str, str] = {}
        kept: list[NodeProto] = []
        for node in draft.nodes:
            same = _unchanged(draft, node, renamed)
            if same is None or not draft.alias(node.output[0], same, renamed):
                kept.append(_as_product(draft, node))
        draft.finish(kept, renamed)
        remove_unread(model)
        return model


def _unchanged(draft: Draft, node: NodeProto, renamed: dict[str, str]) -> str | None:
    """The tensor that a node's only output equals."""
    inputs = [renamed.get(name, name) for name in node.input]
    if is_op(node, "Identity"):
        return inputs[0]
    if is_op(node, "Cast"):
        return _cast(draft, node, inputs[0])
    if not is_op(node, *NEUTRAL) or len(inputs) != 2:
        return None
    zero = _zero_product(draft, node, inputs)
    if zero is not None:
        return zero
    pairs = [(0, 1), (1, 0)] if node.op_type in COMMUTES else [(0, 1)]
    for value, constant in pairs:
        if draft.single(inputs[constant]) == NEUTRAL[node.op_type] and _keeps_shape(
            draft, inputs[value], inputs[constant]
        ):
            return inputs[value]
    return None


def _cast(draft: Draft, node: NodeProto, source: str) -> str | None:
    to = attribute(node, "to")
    if draft.types.get(source) == to and to:
        return source
    array = draft.array(source)
    if array is None or array.size != 1 or array.dtype.kind not in "iu":
        return None
    if to != TensorProto.FLOAT:
        return None
    return draft.store(array.astype(np.float32), f"{source}_float")


def _zero_product(draft: Draft, node: NodeProto, inputs: list[str]) -> str | None:
    """Zeros, for an integer scalar times zero; a float's could be NaN or -0."""
    kind = draft.types.get(inputs[0]) or draft.types.get(inputs[1])
    if node.op_type != "Mul" or kind not in INTEGERS:
        return None
    if any(draft.shape(name) not in ((), (1,)) for name in inputs):
        return None
    if 0 not in (draft.single(name) for name in inputs):
        return None
    rank = max(len(draft.shape(name) or ()) for name in inputs)
    dtype = onnx.helper.tensor_dtype_to_np_dtype(kind)
    return draft.store(np.zeros((1,) * rank, dtype), f"{node.output[0]}_zero")


def _keeps_shape(draft: Draft, value: str, constant: str) -> bool:
    shape, added = draft.shape(value), draft.shape(constant)
    return added == () or (shape is not None and added is not None and len(added) <= len(shape))


def _as_product(draft: Draft, node: NodeProto) -> NodeProto:
    """x² as a product: a power goes through the math library.

    A square that is averaged stays: of such the runtime makes one operator, layer or RMS norm.
    """
    if is_op(draft.sole_reader(node.output[0]), "ReduceMean"):
        return node
    is_float = draft.types.get(node.input[0]) == TensorProto.FLOAT if node.input else False
    if not is_op(node, "Pow") or not is_float or draft.single(node.input[1]) != 2.0:
        return node
    if not _keeps_shape(draft, node.input[0], node.input[1]):
        return node
    twice = [node.input[0], node.input[0]]
    return helper.make_node("Mul", twice, list(node.output), name=node.name)
