"""Writes weights that are stored sparse as dense ones, which is what the runtime makes of them."""

from dataclasses import dataclass

import numpy as np
import onnx
from onnx import ModelProto, SparseTensorProto

from edgekit.engines import Array


@dataclass(frozen=True)
class DenseWeights:
    """onnxruntime loads them, but cannot write them; nothing that rewrites a graph knows them."""

    name: str = "dense-weights"
    tolerance: float = 0.0

    def unneeded(self, model: ModelProto) -> str | None:
        """Not where none is sparse."""
        return None if model.graph.sparse_initializer else "no weight is stored sparse"

    def apply(self, model: ModelProto) -> ModelProto:
        """Move them, in place."""
        for sparse in model.graph.sparse_initializer:
            name = sparse.values.name
            model.graph.initializer.append(onnx.numpy_helper.from_array(dense(sparse), name))
        del model.graph.sparse_initializer[:]
        return model


def dense(sparse: SparseTensorProto) -> Array:
    """The tensor; indices are positions in it flattened, or a row of coordinates for each value."""
    values = onnx.numpy_helper.to_array(sparse.values)
    indices = onnx.numpy_helper.to_array(sparse.indices)
    array = np.zeros(tuple(sparse.dims), values.dtype)
    if indices.ndim == 1:
        array.reshape(-1)[indices] = values
    else:
        array[tuple(indices.T)] = values
    return array
