"""Lets a convolution of few channels compute several neighbouring positions as channels.

A runtime with a blocked layout (NCHWc, 16 floats) pads output channels to the block: a convolution
of one channel computes sixteen and drops fifteen. Here a stride that is `down` times `across` as
long steps over blocks of positions, a filter for each position of a block shifts the weights to
where it stands, zeros around, and a transpose puts the positions in their places. Zeros added are
exact: the outputs keep their bits where the order of summation stays.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from onnx import ModelProto, NodeProto, helper

from edgekit.engines import Array
from edgekit_converters.graph import attribute, copy_of_node
from edgekit_converters.passes.activations import with_activations
from edgekit_converters.passes.dead_ends import remove_unread
from edgekit_converters.passes.draft import Draft, is_op

LANES = 16
"""Floats of a block: NCHWc with AVX-512 and with NEON; 8 with AVX2."""
UNIT_COST = {1: 1.0, 2: 0.72, 3: 0.66, 4: 0.63}
"""Of a block's multiply-adds by how many blocks share a load of the input (measured, Zen 5)."""
WORTH = 0.75
"""Share of the predicted cost below which the rewrite is tried."""
FEWEST_POSITIONS = 64
LARGEST_WEIGHT = 2**18
"""Numbers in a rewritten weight: 1 MB."""


class Block(NamedTuple):
    """Neighbouring positions that are computed at once."""

    down: int
    across: int


@dataclass(frozen=True)
class PackedPositions:
    """Decided by measurement: with another layout the added zeros are only work."""

    name: str = "packed-positions"
    tolerance: float = 1e-4

    def unneeded(self, model: ModelProto) -> str | None:
        """Not without a convolution of few channels over known sizes."""
        draft = Draft(model)
        if any(_block(draft, node) for node in draft.nodes):
            return None
        return "no convolution of known sizes has few output channels"

    def apply(self, model: ModelProto) -> ModelProto:
        """Rewrite in place, an activation that follows included."""
        draft = Draft(model)

        def rewrite(node: NodeProto, activation: NodeProto | None) -> list[NodeProto] | None:
            block = _block(draft, node)
            return None if block is None else _packed(draft, node, block, activation)

        draft.finish(with_activations(draft, rewrite))
        remove_unread(model)
        return model


def _block(draft: Draft, node: NodeProto) -> Block | None:
    """The block that pays most by prediction, None where none pays or the node does not fit."""
    weight, places = _weight(draft, node), _places(draft, node)
    if weight is None or places is None or places[0] * places[1] < FEWEST_POSITIONS:
        return None
    strides = attribute(node, "strides") or [1, 1]
    costs = {
        block: _cost(weight, strides, block)
        for block in _blocks(len(weight))
        if block.down <= places[0] and block.across <= places[1]
    }
    best = min(costs, key=lambda block: costs[block])
    return best if costs[best] < WORTH * _cost(weight, strides, Block(1, 1)) else None


def _weight(draft: Draft, node: NodeProto) -> Array | None:
    """The weight of a plain 2-D convolution of which everything is known."""
    if not is_op(node, "Conv") or attribute(node, "auto_pad", b"NOTSET") != b"NOTSET":
        return None
    if any(name and draft.array(name) is None for name in node.input[2:]):
        return None
    if attribute(node, "group", 1) != 1 or set(attribute(node, "dilations") or [1]) != {1}:
        return None
    kernel = draft.array(node.input[1])
    is_plain = kernel is not None and kernel.ndim == 4 and kernel.dtype == np.float32
    return kernel if is_plain else None


def _places(draft: Draft, node: NodeProto) -> tuple[int, int] | None:
    """Rows and columns of the output, where those of the input are known too."""
    if not node.input or not node.output:
        return None
    inside, outside = draft.shape(node.input[0]), draft.shape(node.output[0])
    sizes = [size for size in (inside or ())[2:] + (outside or ())[2:] if isinstance(size, int)]
    return (sizes[2], sizes[3]) if len(sizes) == 4 else None


def _blocks(channels: int) -> Iterator[Block]:
    powers = (1, 2, 4, 8, 16, 32, 64)
    for down in powers:
        for across in powers:
            if down * across * channels <= 4 * LANES or (down, across) == (1, 1):
                yield Block(down, across)


def _cost(weight: Array, strides: list[int], block: Block) -> float:
    """Multiply-adds of blocks for one position, weighted."""
    kernel = _kernel(weight, strides, block)
    lanes = -(-len(weight) * block.down * block.across // LANES)
    if weight.shape[1] * kernel[0] * kernel[1] * lanes * LANES > LARGEST_WEIGHT:
        return float("inf") if block != (1, 1) else float(2**60)
    unit = UNIT_COST.get(lanes, UNIT_COST[4])
    return kernel[0] * kernel[1] * lanes * unit / (block.down * block.across)


def _kernel(weight: Array, strides: list[int], block: Block) -> tuple[int, int]:
    down = weight.shape[2] + (block.down - 1) * strides[0]
    return down, weight.shape[3] + (block.across - 1) * strides[1]


def _packed(
    draft: Draft, node: NodeProto, block: Block, activation: NodeProto | None
) -> list[NodeProto]:
    weight, places = _weight(draft, node), _places(draft, node)
    if weight is None or places is None:  # _block asked
        return [node]
    strides = attribute(node, "strides") or [1, 1]
    inputs = [
        node.input[0],
        draft.store(spread(weight, strides, block), f"{node.input[1]}_packed"),
    ]
    if len(node.input) > 2 and (bias := draft.array(node.input[2])) is not None:
        wide = np.tile(bias, block.down * block.across)
        inputs.append(draft.store(wide, f"{node.input[2]}_packed"))
    top, left, bottom, right = attribute(node, "pads") or (0, 0, 0, 0)
    below, beyond = (block.down - 1) * strides[0], (block.across - 1) * strides[1]
    made, result = draft.fresh(f"{node.output[0]}_packed"), node.output[0]
    nodes = [
        helper.make_node(
            "Conv", inputs, [made], name=node.name,
            kernel_shape=list(_kernel(weight, strides, block)),
            strides=[block.down * strides[0], block.across * strides[1]],
            pads=[top, left, bottom + below, right + beyond],
        )
    ]  # fmt: skip
    if activation is not None:
        copied = copy_of_node(activation)
        copied.input[0], copied.output[0] = made, draft.fresh(f"{made}_active")
        nodes.append(copied)
        made, result = copied.output[0], activation.output[0]
    return nodes + _unpacked(draft, made, result, len(weight), block, places)


def spread(weight: Array, strides: list[int], block: Block) -> Array:
    """A filter for each position of a block: (down · across · channels, inputs, height, width)."""
    channels, inside, height, width = weight.shape
    wide = np.zeros((*block, channels, inside, *_kernel(weight, strides, block)), weight.dtype)
    for down in range(block.down):
        for across in range(block.across):
            y, x = down * strides[0], across * strides[1]
            wide[down, across, :, :, y : y + height, x : x + width] = weight
    return wide.reshape(-1, *wide.shape[3:])


def _unpacked(
    draft: Draft, made: str, result: str, channels: int, block: Block, places: tuple[int, int]
) -> list[NodeProto]:
    """Positions from channels back to their places; what stands over the edge is cut off."""
    rows, columns = -(-places[0] // block.down), -(-places[1] // block.across)
    apart = {"down": block.down, "across": block.across, "channel": channels}
    apart |= {"row": rows, "column": columns}
    axes = [name for name in apart if apart[name] > 1]
    order = [name for name in ("channel", "row", "down", "column", "across") if name in axes]
    cut = draft.integers([0, *(apart[name] for name in axes)], f"{result}_apart")
    whole = [rows * block.down, columns * block.across]
    joined = draft.integers([0, channels, *whole], f"{result}_joined")
    names = [draft.fresh(f"{result}_{step}") for step in ("apart", "turned", "joined")]
    fits = whole == list(places)
    last = result if fits else names[2]
    nodes = [
        helper.make_node("Reshape", [made, cut], [names[0]], name=names[0]),
        helper.make_node(
            "Transpose", [names[0]], [names[1]], name=names[1],
            perm=[0, *(1 + axes.index(name) for name in order)],
        ),
        helper.make_node("Reshape", [names[1], joined], [last], name=names[2]),
    ]  # fmt: skip
    if not fits:
        bounds = [draft.integers(each, f"{result}_edge") for each in ([0, 0], places, [2, 3])]
        nodes.append(helper.make_node("Slice", [last, *bounds], [result], name=f"{names[2]}_edge"))
    return nodes
