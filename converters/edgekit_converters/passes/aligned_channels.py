"""Gives convolutions input channels in fours, which the runtime's blocked layout asks for."""

import math
from dataclasses import dataclass

import numpy as np
from onnx import ModelProto, NodeProto, helper

from edgekit.engines import Array
from edgekit_converters.graph import attribute, copy_of_node
from edgekit_converters.passes.dead_ends import remove_unread
from edgekit_converters.passes.draft import Draft, is_op

ALIGNMENT = 4
FEWEST = 16
"""Channels; below the block of the layout a convolution reads plain planes, aligned or not."""
LARGEST_PADDED = 2**16
"""Numbers of an input that may be copied to add channels of zeros."""


@dataclass(frozen=True)
class AlignedChannels:
    """A convolution of 129 channels falls back to im2col; zeros make it 132.

    Where a Concat made the channels, the odd ones get a convolution of their own and the two are
    added: a convolution of a sum is a sum of convolutions.
    """

    name: str = "aligned-channels"
    tolerance: float = 1e-4

    def unneeded(self, model: ModelProto) -> str | None:
        """Not where channels come in fours."""
        draft = Draft(model)
        if any(_aligned(draft, node) for node in draft.nodes):
            return None
        return f"no convolution has over {FEWEST} channels that are no multiple of {ALIGNMENT}"

    def apply(self, model: ModelProto) -> ModelProto:
        """Rewrite in place."""
        draft = Draft(model)
        draft.finish([each for node in draft.nodes for each in _aligned(draft, node) or [node]])
        remove_unread(model)
        return model


def _aligned(draft: Draft, node: NodeProto) -> list[NodeProto] | None:
    """What replaces a convolution, None where it does not apply."""
    weight = draft.array(node.input[1]) if is_op(node, "Conv") else None
    if weight is None or weight.ndim != 4 or attribute(node, "group", 1) != 1:
        return None
    channels = weight.shape[1]
    if channels < FEWEST or channels % ALIGNMENT == 0 or weight.dtype != np.float32:
        return None
    return _apart(draft, node, weight) or _padded(draft, node, weight)


def _padded(draft: Draft, node: NodeProto, weight: Array) -> list[NodeProto] | None:
    shape = draft.static_shape(node.input[0])
    if shape is None or math.prod(shape) > LARGEST_PADDED:
        return None
    more = -weight.shape[1] % ALIGNMENT
    wide = np.pad(weight, ((0, 0), (0, more), (0, 0), (0, 0)))
    pads = draft.integers([0, 0, 0, 0, 0, more, 0, 0], "aligned_pads")
    padded = draft.fresh(f"{node.input[0]}_aligned")
    conv = copy_of_node(node)
    conv.input[0], conv.input[1] = padded, draft.store(wide, f"{node.input[1]}_aligned")
    return [helper.make_node("Pad", [node.input[0], pads], [padded], name=padded), conv]


def _apart(draft: Draft, node: NodeProto, weight: Array) -> list[NodeProto] | None:
    """One convolution of the parts in fours and one of the rest, added."""
    concat = draft.makers.get(node.input[0])
    if concat is None or not is_op(concat, "Concat") or attribute(concat, "axis") not in (1, -3):
        return None
    shapes = [draft.shape(name) for name in concat.input]
    sizes = [shape[1] for shape in shapes if shape and isinstance(shape[1], int)]
    if len(sizes) != len(shapes):
        return None
    starts = np.cumsum([0, *sizes])
    even = [index for index, size in enumerate(sizes) if size % ALIGNMENT == 0]
    odd = [index for index in range(len(sizes)) if index not in even]
    if not even or not odd:
        return None
    nodes, sums = [], []
    for number, group in enumerate((even, odd)):
        columns = np.concatenate([np.arange(starts[each], starts[each + 1]) for each in group])
        source = concat.input[group[0]]
        if len(group) > 1:
            source = draft.fresh(f"{node.input[0]}_part")
            parts = [concat.input[each] for each in group]
            nodes.append(helper.make_node("Concat", parts, [source], axis=1, name=source))
        conv = copy_of_node(node)
        conv.input[0] = source
        conv.input[1] = draft.store(weight[:, columns], f"{node.input[1]}_part")
        conv.output[0] = draft.fresh(f"{node.output[0]}_part")
        if number:
            del conv.input[2:]
            conv.name = conv.output[0]
        nodes.append(conv)
        sums.append(conv.output[0])
    name = draft.fresh(f"{node.output[0]}_sum")
    return [*nodes, helper.make_node("Add", sums, list(node.output), name=name)]
