"""Writes 1-D convolutions of few positions as one product of matrices."""

from dataclasses import dataclass

import numpy as np
from onnx import ModelProto, NodeProto, helper

from edgekit.engines import Array
from edgekit_converters.graph import attribute, copy_of_node
from edgekit_converters.passes.activations import with_activations
from edgekit_converters.passes.dead_ends import remove_unread
from edgekit_converters.passes.draft import Draft, is_op

MOST_POSITIONS = 16
"""Of the output; with more of them the runtime's own im2col pays."""


@dataclass(frozen=True)
class UnrolledConvolutions:
    """The weight becomes the matrix on the right, which a runtime packs once, as it loads.

    As a convolution it stands on the left, and on the right are as many columns as positions: for
    four of them onnxruntime spent 2.8 times the instructions on a Cortex-A76.
    """

    name: str = "unrolled-convolutions"
    tolerance: float = 1e-4

    def unneeded(self, model: ModelProto) -> str | None:
        """Not without a 1-D convolution of few positions."""
        draft = Draft(model)
        if any(_weight(draft, node) is not None for node in draft.nodes):
            return None
        return f"it has no 1-D convolution of at most {MOST_POSITIONS} known positions"

    def apply(self, model: ModelProto) -> ModelProto:
        """Rewrite in place, an activation that follows included."""
        draft = Draft(model)

        def rewrite(node: NodeProto, activation: NodeProto | None) -> list[NodeProto] | None:
            weight = _weight(draft, node)
            return None if weight is None else _unrolled(draft, node, weight, activation)

        draft.finish(with_activations(draft, rewrite))
        remove_unread(model)
        return model


def _weight(draft: Draft, node: NodeProto) -> Array | None:
    """The weight of a convolution that can be unrolled."""
    if not is_op(node, "Conv") or attribute(node, "auto_pad", b"NOTSET") != b"NOTSET":
        return None
    weight = draft.array(node.input[1])
    if weight is None or weight.ndim != 3 or weight.dtype != np.float32:
        return None
    if attribute(node, "group", 1) != 1:
        return None
    is_known = _length(draft, node.input[0]) > 0
    return weight if is_known and 0 < _length(draft, node.output[0]) <= MOST_POSITIONS else None


def _length(draft: Draft, name: str) -> int:
    """The size of a tensor's last of three axes, 0 where it is not known."""
    sizes = (draft.shape(name) or ())[2:]
    return sizes[0] if len(sizes) == 1 and isinstance(sizes[0], int) else 0


def _unrolled(
    draft: Draft, node: NodeProto, weight: Array, activation: NodeProto | None
) -> list[NodeProto]:
    positions, channels = _length(draft, node.output[0]), len(weight)
    places, used = _places(draft, node, positions, weight.shape[2])
    matrix = weight[:, :, used].transpose(2, 1, 0).reshape(-1, channels)
    nodes, source = _patches(draft, node, places, len(matrix))
    made = draft.fresh(f"{node.output[0]}_product")
    inputs = [source, draft.store(matrix, f"{node.input[1]}_matrix"), *node.input[2:]]
    nodes.append(helper.make_node("Gemm", inputs, [made], name=node.name))
    result = node.output[0]
    if activation is not None:
        copied = copy_of_node(activation)
        copied.input[0], copied.output[0] = made, draft.fresh(f"{made}_active")
        nodes.append(copied)
        made, result = copied.output[0], activation.output[0]
    apart = draft.integers([-1, positions, channels], f"{result}_apart")
    rows = draft.fresh(f"{result}_rows")
    return [
        *nodes,
        helper.make_node("Reshape", [made, apart], [rows], name=rows),
        helper.make_node(
            "Transpose", [rows], [result], perm=[0, 2, 1], name=draft.fresh(f"{result}_turned")
        ),
    ]


def _places(draft: Draft, node: NodeProto, positions: int, width: int) -> tuple[Array, Array]:
    """Where each output looks, one row for each, and the taps that ever see more than padding."""
    begin, _ = attribute(node, "pads") or (0, 0)
    stride = (attribute(node, "strides") or [1])[0]
    dilation = (attribute(node, "dilations") or [1])[0]
    size = _length(draft, node.input[0])
    places = np.arange(positions)[:, None] * stride + np.arange(width) * dilation - begin
    used = ((places >= 0) & (places < size)).any(axis=0)
    return places[:, used], used


def _patches(draft: Draft, node: NodeProto, places: Array, row: int) -> tuple[list[NodeProto], str]:
    """What each position sees, as a row: places first, channels within."""
    source, nodes = node.input[0], []
    size = _length(draft, source)
    before, after = max(0, -int(places.min())), max(0, int(places.max()) + 1 - size)
    if before or after:
        pads = draft.integers([0, 0, before, 0, 0, after], "unrolled_pads")
        padded = draft.fresh(f"{source}_padded")
        nodes.append(helper.make_node("Pad", [source, pads], [padded], name=padded))
        source = padded
    turned, seen, rows = (draft.fresh(f"{source}_{each}") for each in ("turned", "seen", "rows"))
    nodes.append(helper.make_node("Transpose", [source], [turned], perm=[0, 2, 1], name=turned))
    if places.shape != (1, size) or (places != np.arange(size)).any():
        chosen = draft.store((places + before).astype(np.int64), "unrolled_places")
        nodes.append(helper.make_node("Gather", [turned, chosen], [seen], axis=1, name=seen))
        turned = seen
    flat = draft.integers([-1, row], "unrolled_row")
    nodes.append(helper.make_node("Reshape", [turned, flat], [rows], name=rows))
    return nodes, rows
