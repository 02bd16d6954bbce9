"""Convolutions that are rewritten together with the activation that follows."""

from collections.abc import Callable
from typing import TypeAlias

from onnx import NodeProto

from edgekit_converters.passes.draft import Draft, is_op

ACTIVATIONS = ("Relu", "Sigmoid", "Tanh", "LeakyRelu", "Clip", "HardSigmoid")
"""Those that the runtime fuses into a convolution."""

Rewrite: TypeAlias = Callable[[NodeProto, NodeProto | None], list[NodeProto] | None]


def with_activations(draft: Draft, rewrite: Rewrite) -> list[NodeProto]:
    """The nodes of a graph, some of them rewritten.

    Args:
        draft: the graph.
        rewrite: gets a node and the activation that is its only reader, or None; returns what
            stands in the place of both, or None to leave them.
    """
    kept: list[NodeProto] = []
    moved: set[str] = set()
    for node in draft.nodes:
        if moved.intersection(node.output):
            continue
        after = draft.sole_reader(node.output[0]) if is_op(node, "Conv") else None
        activation = after if is_op(after, *ACTIVATIONS) else None
        made = rewrite(node, activation)
        kept += [node] if made is None else made
        if made is not None and activation is not None:
            moved.update(activation.output)
    return kept
