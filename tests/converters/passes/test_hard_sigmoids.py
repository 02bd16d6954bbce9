import numpy as np
import pytest
from chains import after, feeds_for
from edgekit_converters.passes.hard_sigmoids import HardSigmoids
from networks import model_of, stored, value
from onnx import helper

THREE, SIX, ZERO, SIXTH = (np.float32(each) for each in (3, 6, 0, 1 / 6))


def gated(last="Div", times="x", high=SIX, low=ZERO, by=SIX, opset=17, shape=()):
    """x + 3, clipped, perhaps times something, divided."""
    clip = helper.make_node("Clip", ["a", "low", "high"], ["k"])
    if opset < 11:
        clip = helper.make_node("Clip", ["a"], ["k"], min=float(low), max=float(high))
    nodes = [helper.make_node("Add", ["x", "three"], ["a"]), clip]
    if times:
        nodes.append(helper.make_node("Mul", [times, "k"], ["m"]))
    nodes.append(helper.make_node(last, ["m" if times else "k", "by"], ["y"]))
    kept = {"three": THREE, "by": np.full(shape, by)}
    if opset >= 11:
        kept |= {"low": low, "high": high}
    tensors = [stored(key, array) for key, array in kept.items()]
    x = value("x", [2, 3, 4])
    return model_of(nodes, [x], [value("y", [2, 3, 4])], tensors, opset)


@pytest.mark.parametrize("opset", [9, 17])
@pytest.mark.parametrize(
    ("settings", "operators"),
    [
        ({}, ["HardSigmoid", "Mul"]),
        ({"times": None}, ["HardSigmoid"]),
        ({"last": "Mul", "by": SIXTH}, ["HardSigmoid", "Mul"]),
        ({"last": "Mul", "by": SIXTH, "times": None, "shape": (1,)}, ["HardSigmoid"]),
        ({"high": np.float32(4), "by": np.float32(4)}, ["HardSigmoid", "Mul"]),
    ],
)
def test_a_hard_sigmoid_that_is_written_out_is_one_operator(settings, operators, opset):
    model = gated(**settings, opset=opset)
    found, report = after(HardSigmoids(), model, feeds_for(model))
    assert found == operators
    assert report.outcome == "changed"


@pytest.mark.parametrize(
    "settings",
    [{"by": np.float32(5)}, {"low": np.float32(-1)}, {"shape": (1, 1, 1)}, {"last": "Mul"}],
)
def test_what_only_looks_like_one_stays(settings):
    assert after(HardSigmoids(), gated(**settings))[1].outcome == "unchanged"


def test_a_clipped_tensor_that_others_read_stays():
    model = gated()
    model.graph.output.append(value("k", [2, 3, 4]))
    assert after(HardSigmoids(), model)[1].outcome == "unchanged"
