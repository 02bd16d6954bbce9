import numpy as np
import onnx
from chains import chain
from edgekit_converters.graph import float_tensors
from edgekit_converters.passes.contract import apply_pass
from edgekit_converters.passes.known_types import KnownTypes, untyped
from networks import stored, value, weights
from onnx import helper

node = helper.make_node


def scaled():
    """What scikit-learn exports: a Scaler that onnx knows no type of, then dense layers."""
    rng = np.random.default_rng(5)
    nodes = [
        node("Scaler", ["x"], ["s"], domain="ai.onnx.ml", offset=[0.5], scale=[2.0]),
        node("MatMul", ["s", "w"], ["h"], name="up"),
        node("Relu", ["h"], ["r"]),
        node("MatMul", ["r", "v"], ["y"], name="down"),
    ]
    kept = [stored("w", weights(rng, 6, 32)), stored("v", weights(rng, 32, 4))]
    ends = [value("x", ["n", 6])], [value("y", ["n", 4])]
    graph = helper.make_graph(nodes, "net", *ends, kept)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9)


def test_types_behind_another_domains_operators_are_asked_of_the_runtime():
    model = scaled()
    assert untyped(model) == ["s", "h", "r"]
    assert "s" not in float_tensors(model)
    feeds = [{"x": np.ones((2, 6), np.float32)}]
    typed, report = apply_pass(KnownTypes(), model, feeds)
    assert (report.outcome, untyped(typed)) == ("changed", [])
    assert {"s", "h", "r"} <= float_tensors(typed)
    assert list(typed.graph.node) == list(model.graph.node)
    onnx.checker.check_model(typed, full_check=True)


def test_where_onnx_knows_every_type_nothing_is_asked():
    assert KnownTypes().unneeded(chain(("Relu", [], {}))) == "onnx infers the type of every tensor"
