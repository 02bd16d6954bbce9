import numpy as np
import onnx
from chains import after, chain
from edgekit_converters.passes.contract import apply_pass
from edgekit_converters.passes.wide_halves import WideHalves
from networks import model_of, outputs, stored, value
from onnx import TensorProto, helper

HALF, BOOL = TensorProto.FLOAT16, TensorProto.BOOL
node = helper.make_node


def branching():
    """float16 in, out and inside a branch that reads from outside; one output is read on."""
    then = helper.make_graph(
        [node("MatMul", ["r", "w"], ["m"])], "then", [], [value("m", [2, 3], HALF)]
    )
    half = stored("", np.full((2, 3), 0.5, np.float16))
    other = helper.make_graph(
        [node("Constant", [], ["k"], value=half)], "other", [], [value("k", [2, 3], HALF)]
    )
    nodes = [
        node("Relu", ["x"], ["r"]),
        node("If", ["flag"], ["b"], then_branch=then, else_branch=other),
        node("Cast", ["scale"], ["s"], to=HALF),
        node("Mul", ["b", "s"], ["y"]),
    ]
    weight = np.random.default_rng(3).normal(size=(4, 3)).astype(np.float16)
    inputs = [value("x", [2, 4], HALF), value("flag", [], BOOL), value("scale", [1])]
    ends = [value("y", [2, 3], HALF), value("r", [2, 4], HALF)]
    return model_of(nodes, inputs, ends, [stored("w", weight)])


def test_all_of_it_computes_in_float32_and_the_ends_stay():
    model = branching()
    x = np.random.default_rng(1).normal(size=(2, 4)).astype(np.float16)
    feeds = [
        {"x": x, "flag": np.array(flag), "scale": np.ones(1, np.float32)} for flag in (True, False)
    ]
    wide, report = apply_pass(WideHalves(), model, feeds)
    assert (report.outcome, report.error < 2e-3) == ("changed", True)
    assert HALF not in {tensor.data_type for tensor in wide.graph.initializer}
    kinds = [each.op_type for each in wide.graph.node]
    assert kinds == ["Cast", "Relu", "If", "Cast", "Mul", "Cast", "Cast"]
    found = outputs(wide.SerializeToString(), feeds[0])
    assert {array.dtype.name for array in found.values()} == {"float16"}
    onnx.checker.check_model(wide, full_check=True)


def test_what_has_no_float16_is_left_alone():
    model = chain(("Relu", [], {}))
    assert WideHalves().unneeded(model) == "nothing is float16"
    assert after(WideHalves(), model)[1].outcome == "not needed"
