"""Small real models and manifests that many tests need."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from edgekit.manifest import ClassifySpec, Manifest, Tensor


def small_model(seed: int = 0) -> onnx.ModelProto:
    """x (1, 8) → softmax of a linear layer: y (1, 3)."""
    rng = np.random.default_rng(seed)
    weight = numpy_helper.from_array(rng.standard_normal((8, 3)).astype(np.float32), "w")
    bias = numpy_helper.from_array(rng.standard_normal(3).astype(np.float32), "b")
    nodes = [
        helper.make_node("Gemm", ["x", "w", "b"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["y"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 8])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 3])],
        [weight, bias],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def small_manifest(**changes) -> Manifest:
    fields = {
        "schema": 1,
        "name": "small",
        "version": "1.0",
        "target": "host",
        "engine": "onnxruntime",
        "recipe": "fp32",
        "model": "model.onnx",
        "inputs": (Tensor("x", "float32", (1, 8)),),
        "outputs": (Tensor("y", "float32", (1, 3)),),
        "decoder": ClassifySpec("y", top_k=2),
        "labels": "labels.json",
    }
    return Manifest(**(fields | changes))


def small_files(**changes: bytes) -> dict[str, bytes]:
    files = {"model.onnx": small_model().SerializeToString(), "labels.json": b'["a", "b", "c"]'}
    return files | changes
