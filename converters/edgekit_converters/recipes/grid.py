"""The grid that int8 weights are rounded to: as onnxruntime's quantizer makes it, in NumPy."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto

from edgekit_converters.graph import attribute
from edgekit_converters.recipes.recipe import Recipe

Weights = NDArray[np.float32]


@dataclass(frozen=True)
class Grid:
    """Numbers -limit…limit times a step for each channel, or one for all.

    Attributes:
        steps: broadcast over the weight.
        limit: the greatest number.
    """

    steps: Weights
    limit: int

    def numbers(self, weight: Weights) -> Weights:
        """The nearest numbers, as floats."""
        found: Weights = np.clip(np.rint(weight / self.steps), -self.limit, self.limit)
        return found

    def rounded(self, weight: Weights) -> Weights:
        """The weight as int8 stands for it."""
        found: Weights = (self.numbers(weight) * self.steps).astype(np.float32)
        return found


def channel_axis(node: NodeProto, rank: int) -> int:
    """Which axis of a node's weight its output channels are."""
    if node.op_type == "Conv":
        return 0
    if node.op_type == "ConvTranspose":
        return 1
    if node.op_type == "Gemm" and attribute(node, "transB", 0):
        return 0
    return rank - 1


def grid_of(node: NodeProto, weight: Weights, recipe: Recipe) -> Grid:
    """The grid of a node's stored weight under a recipe."""
    limit = 64 if recipe.seven_bit else 127
    axis = channel_axis(node, weight.ndim)
    others = tuple(each for each in range(weight.ndim) if each != axis)
    reach = np.abs(weight).max(axis=others if recipe.per_channel else None, keepdims=True)
    steps = np.where(reach == 0, 1.0, reach / limit).astype(np.float32)
    return Grid(steps, limit)
