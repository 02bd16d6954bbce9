"""Small models for one pass: a chain of nodes from x to y, and what became of it."""

import numpy as np
import onnx
from edgekit_converters.passes.contract import apply_pass
from networks import model_of, stored, value
from onnx import TensorProto, helper


def chain(*steps, x=(1, 4, 6), weights=None, opset=17):
    """A model of `(operator, further inputs, settings)` steps from x to y."""
    nodes, name = [], "x"
    for number, (operator, inputs, settings) in enumerate(steps, 1):
        made = "y" if number == len(steps) else f"t{number}"
        nodes.append(helper.make_node(operator, [name, *inputs], [made], **settings))
        name = made
    kept = [stored(key, np.asarray(array)) for key, array in (weights or {}).items()]
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "chain", [value("x", list(x))], [y], kept)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True)
    y.CopyFrom(inferred.graph.output[0])
    return model_of(nodes, [value("x", list(x))], [y], kept, opset)


def feeds_for(model, count=3, size=2):
    """Random inputs; open sizes are `size`."""
    rng = np.random.default_rng(4)
    found = []
    for _ in range(count):
        feed = {}
        for each in model.graph.input:
            shape = [dim.dim_value or size for dim in each.type.tensor_type.shape.dim]
            dtype = helper.tensor_dtype_to_np_dtype(each.type.tensor_type.elem_type)
            feed[each.name] = np.asarray(rng.standard_normal(shape) * 3).astype(dtype)
        found.append(feed)
    return found


def after(each, model, feeds=None):
    """The operators that a pass leaves, and its report."""
    rewritten, report = apply_pass(each, model, feeds or feeds_for(model))
    return [node.op_type for node in rewritten.graph.node], report
