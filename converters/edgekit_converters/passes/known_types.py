"""Writes down types that onnx cannot infer: behind operators of other domains than its own."""

from dataclasses import dataclass

import numpy as np
import onnx
from onnx import ModelProto, ValueInfoProto, helper

from edgekit.engines import open_engine
from edgekit_converters.graph import copy_of


@dataclass(frozen=True)
class KnownTypes:
    """Placement and quantizers leave alone what they know no type of.

    Behind a Scaler of ai.onnx.ml or a SkipLayerNormalization of com.microsoft that was all of the
    model. The runtime knows its operators.
    """

    name: str = "known-types"
    tolerance: float = 0.0

    def unneeded(self, model: ModelProto) -> str | None:
        """Not where onnx knows them all."""
        return None if untyped(model) else "onnx infers the type of every tensor"

    def apply(self, model: ModelProto) -> ModelProto:
        """Ask the runtime: a tensor becomes an output, and outputs have types."""
        asking = copy_of(model)
        names = untyped(model)
        asking.graph.output.extend(ValueInfoProto(name=name) for name in names)
        engine = open_engine("onnxruntime", asking.SerializeToString())
        try:
            found = {each.name: each for each in engine.outputs}
        finally:
            engine.close()
        for each in (found[name] for name in names):
            dtype = np.dtype(object if each.dtype == "string" else each.dtype)
            kind = helper.np_dtype_to_tensor_dtype(dtype)
            sizes = [size if isinstance(size, int) else None for size in each.shape]
            known = sizes or None  # of an unknown rank the runtime says as much as of a scalar
            model.graph.value_info.append(helper.make_tensor_value_info(each.name, kind, known))
        return model


def untyped(model: ModelProto) -> list[str]:
    """Tensors of the main graph whose type onnx does not infer, in order."""
    graph = onnx.shape_inference.infer_shapes(model).graph
    known = {
        info.name
        for info in (*graph.input, *graph.value_info, *graph.output)
        if info.type.WhichOneof("value") is not None
    }
    return [name for node in graph.node for name in node.output if name and name not in known]
