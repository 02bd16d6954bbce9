"""Which layers' int8 products overflow 16 bits on an x86 CPU before VNNI."""

import numpy as np
from onnx import ModelProto, TensorProto, numpy_helper

from edgekit_converters.graph import constants
from edgekit_converters.recipes.grid import Weights, channel_axis, grid_of
from edgekit_converters.recipes.recipe import Recipe
from edgekit_converters.sensitivity.copies import weighted

LARGEST_U8, LARGEST_S16 = 255, 32767


def saturating_pairs(model: ModelProto, recipe: Recipe, node_name: str) -> float:
    """Share of neighbouring weights of a node whose products with the largest u8 overflow.

    `vpmaddubsw` multiplies u8 by s8, adds two neighbouring products and cuts the sum to 16 bits.
    0 for nodes without a stored float32 weight.
    """
    stored = constants(model.graph)
    for node in weighted(model):
        tensor = stored.get(node.input[1]) if len(node.input) > 1 else None
        if node.name != node_name or node.op_type == "LSTM" or tensor is None:
            continue
        if tensor.data_type == TensorProto.FLOAT and len(tensor.dims) > 1:
            weight = numpy_helper.to_array(tensor).astype(np.float32)
            numbers = grid_of(node, weight, recipe).numbers(weight)
            return _share(np.moveaxis(numbers, channel_axis(node, weight.ndim), 0))
    return 0.0


def _share(numbers: Weights) -> float:
    """Of a weight with its output channels first."""
    flat = numbers.reshape(len(numbers), -1)
    pairs = flat[:, : flat.shape[1] // 2 * 2].reshape(-1, 2)
    positive, negative = np.maximum(pairs, 0).sum(axis=1), np.minimum(pairs, 0).sum(axis=1)
    largest = LARGEST_U8 * np.maximum(positive, -negative)
    return float((largest > LARGEST_S16).mean()) if len(pairs) else 0.0
