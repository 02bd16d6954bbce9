import numpy as np
import pytest
from chains import after, chain, feeds_for
from edgekit_converters.passes.neutral_arithmetic import NeutralArithmetic
from networks import model_of, stored, value
from onnx import TensorProto, helper

ZERO, ONE, TWO = np.float32(0), np.float32(1), np.float32(2)
RELU = ("Relu", [], {})


@pytest.mark.parametrize(
    ("operator", "constant"),
    [("Add", ZERO), ("Sub", ZERO), ("Mul", ONE), ("Div", ONE), ("Pow", ONE)],
)
def test_what_changes_nothing_goes(operator, constant):
    model = chain(RELU, (operator, ["c"], {}), weights={"c": constant})
    operators, report = after(NeutralArithmetic(), model)
    assert (operators, report.outcome) == (["Relu"], "changed")
    assert report.error == 0


def test_a_constant_that_widens_the_shape_stays():
    model = chain(RELU, ("Add", ["c"], {}), weights={"c": np.zeros((1, 1, 1, 1), np.float32)})
    _, report = after(NeutralArithmetic(), model)
    assert report.outcome == "unchanged"


@pytest.mark.parametrize("constant", [np.float32(0.5), np.zeros(6, np.float32) + 1])
def test_what_computes_stays(constant):
    model = chain(RELU, ("Mul", ["c"], {}), weights={"c": constant})
    assert after(NeutralArithmetic(), model)[1].outcome == "unchanged"


def test_a_square_is_a_product():
    operators, report = after(NeutralArithmetic(), chain(("Pow", ["c"], {}), weights={"c": TWO}))
    assert operators == ["Mul"]
    assert report.error <= 1e-6


def test_a_square_that_is_averaged_stays_for_the_runtime_to_fuse():
    layers = [RELU, ("Pow", ["c"], {}), ("ReduceMean", [], {"axes": [1], "keepdims": 1})]
    model = chain(*layers, weights={"c": TWO})
    assert after(NeutralArithmetic(), model)[1].outcome == "unchanged"


def kept_alive(kind, dtype):
    """An input that is multiplied by zero and added to the result."""
    nodes = [
        helper.make_node("Mul", ["rate", "zero"], ["nothing"]),
        helper.make_node("Cast", ["nothing"], ["as_float"], to=TensorProto.FLOAT),
        helper.make_node("Relu", ["x"], ["r"]),
        helper.make_node("Add", ["r", "as_float"], ["y"]),
    ]
    inputs = [value("x", [2, 3]), value("rate", [], kind)]
    return model_of(nodes, inputs, [value("y", [2, 3])], [stored("zero", np.array(0, dtype))])


def test_an_integer_times_zero_is_zero():
    operators, report = after(NeutralArithmetic(), kept_alive(TensorProto.INT64, np.int64))
    assert operators == ["Relu"]
    assert report.outcome == "changed"


def test_a_float_times_zero_may_be_nan():
    model = kept_alive(TensorProto.FLOAT, np.float32)
    feeds = [{**feed, "rate": np.array(np.nan, np.float32)} for feed in feeds_for(model)]
    operators, report = after(NeutralArithmetic(), model, feeds)
    assert "Add" in operators
    assert report.outcome != "reverted"


def test_two_outputs_of_one_value_keep_both_names():
    nodes = [
        helper.make_node("Relu", ["x"], ["r"]),
        helper.make_node("Identity", ["r"], ["y"]),
        helper.make_node("Identity", ["r"], ["z"]),
    ]
    model = model_of(nodes, [value("x", [2])], [value("y", [2]), value("z", [2])])
    operators, report = after(NeutralArithmetic(), model)
    assert report.outcome == "changed"
    assert operators == ["Relu", "Identity"]


def test_an_input_that_is_an_output_stays():
    model = chain(("Identity", [], {}))
    assert after(NeutralArithmetic(), model)[1].outcome == "unchanged"
