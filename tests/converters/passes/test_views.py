import numpy as np
import pytest
from chains import after, chain
from edgekit_converters.passes.kept_axes import KeptAxes
from edgekit_converters.passes.later_views import LaterViews
from edgekit_converters.passes.views import Views
from networks import model_of, stored, value
from onnx import helper

AXIS0, AXIS1, LAST = np.array([0]), np.array([1]), np.array([-1])
RELU = ("Relu", [], {})


def test_a_view_and_its_inverse_go():
    model = chain(RELU, ("Unsqueeze", ["a"], {}), ("Squeeze", ["a"], {}), RELU, weights={"a": LAST})
    assert after(Views(), model)[0] == ["Relu", "Relu"]


def test_a_run_of_views_becomes_one():
    model = chain(
        RELU,
        ("Unsqueeze", ["a"], {}),
        ("Reshape", ["s"], {}),
        ("Flatten", [], {"axis": 1}),
        weights={"a": AXIS1, "s": np.array([0, 2, 3, 4])},
        x=("n", 4, 6),
    )
    assert after(Views(), model)[0] == ["Relu", "Reshape"]


def test_one_view_alone_stays():
    model = chain(RELU, ("Flatten", [], {}))
    assert after(Views(), model)[1].outcome == "unchanged"


def test_a_transpose_of_ones_is_a_view():
    model = chain(
        RELU,
        ("Transpose", [], {"perm": [1, 0, 2]}),
        ("Reshape", ["s"], {}),
        weights={"s": np.array([4, 3, 2])},
        x=(1, 4, 6),
    )
    assert after(Views(), model)[0] == ["Relu", "Reshape"]


def test_a_transpose_that_moves_numbers_is_none():
    model = chain(
        RELU,
        ("Transpose", [], {"perm": [0, 2, 1]}),
        ("Reshape", ["s"], {}),
        weights={"s": np.array([4, 3, 2])},
    )
    assert after(Views(), model)[1].outcome == "unchanged"


def test_two_open_sizes_are_left():
    model = chain(
        RELU,
        ("Unsqueeze", ["a"], {}),
        ("Unsqueeze", ["a"], {}),
        weights={"a": AXIS0},
        x=("n", "m", 6),
    )
    assert after(Views(), model)[1].outcome == "unchanged"


def test_a_view_of_an_input_to_an_output_stays():
    model = chain(("Unsqueeze", ["a"], {}), ("Squeeze", ["a"], {}), weights={"a": AXIS0})
    operators, report = after(Views(), model)
    assert report.outcome != "reverted"
    assert len(operators) >= 1


@pytest.mark.parametrize("operator", ["Relu", "Sigmoid", "Exp", "Neg"])
def test_views_move_behind_elementwise_operators(operator):
    model = chain(
        ("Relu", [], {}),
        ("Unsqueeze", ["a"], {}),
        (operator, [], {}),
        ("Squeeze", ["a"], {}),
        weights={"a": LAST},
    )
    assert after(LaterViews(), model)[0] == ["Relu", operator, "Unsqueeze", "Squeeze"]


def test_views_move_behind_scalar_constants():
    weights = {"a": LAST, "c": np.float32(2), "d": np.float32(-1)}
    model = chain(("Unsqueeze", ["a"], {}), ("Mul", ["c"], {}), ("Add", ["d"], {}), weights=weights)
    assert after(LaterViews(), model)[0] == ["Mul", "Add", "Unsqueeze"]


def test_views_stay_before_a_constant_of_the_view_s_shape():
    weights = {"a": LAST, "c": np.ones((4, 1, 1), np.float32)}
    model = chain(("Unsqueeze", ["a"], {}), ("Mul", ["c"], {}), x=(1, 6), weights=weights)
    assert after(LaterViews(), model)[1].outcome == "unchanged"


def test_a_view_that_others_read_stays():
    nodes = [
        helper.make_node("Unsqueeze", ["x", "a"], ["u"]),
        helper.make_node("Relu", ["u"], ["y"]),
        helper.make_node("Neg", ["u"], ["z"]),
    ]
    outputs = [value("y", [4, 1]), value("z", [4, 1])]
    model = model_of(nodes, [value("x", [4])], outputs, [stored("a", LAST)])
    assert after(LaterViews(), model)[1].outcome == "unchanged"


def test_a_gathered_place_that_is_stood_up_again_is_sliced():
    model = chain(
        ("Gather", ["i"], {"axis": 1}),
        ("Unsqueeze", ["a"], {}),
        RELU,
        weights={"i": np.array(-1), "a": AXIS1},
    )
    assert after(KeptAxes(), model)[0] == ["Slice", "Squeeze", "Unsqueeze", "Relu"]


@pytest.mark.parametrize("index", [np.array([1]), np.array([0, 2])])
def test_gathers_of_several_places_stay(index):
    model = chain(("Gather", ["i"], {"axis": 1}), ("Flatten", [], {}), weights={"i": index})
    assert after(KeptAxes(), model)[1].outcome == "unchanged"


def test_before_opset_13_gathers_stay():
    model = chain(
        ("Gather", ["i"], {"axis": 1}), ("Flatten", [], {}), weights={"i": np.array(1)}, opset=12
    )
    assert after(KeptAxes(), model)[1].outcome == "not needed"
