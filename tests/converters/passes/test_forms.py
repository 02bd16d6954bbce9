from dataclasses import dataclass

import numpy as np
import pytest
from chains import after, chain, feeds_for
from edgekit_converters.passes import FORMS, Form, choose_forms
from edgekit_converters.passes.aligned_channels import AlignedChannels
from edgekit_converters.passes.contract import apply_pass
from edgekit_converters.passes.packed_positions import Block, PackedPositions, spread
from edgekit_converters.passes.planar_convolutions import PlanarConvolutions
from edgekit_converters.passes.static_shapes import StaticShapes
from edgekit_converters.passes.unrolled_convolutions import UnrolledConvolutions
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import model_of, stored, value, weights
from onnx import helper


def conv(shape, x, opset=17, bias=True, activation="Relu", **settings):
    """x through one convolution and an activation."""
    rng = np.random.default_rng(1)
    kept = {"w": weights(rng, *shape)}
    if bias:
        kept["b"] = rng.standard_normal(shape[0]).astype(np.float32)
    steps = [("Conv", list(kept), settings)]
    if activation:
        steps.append((activation, [], {}))
    return chain(*steps, x=x, weights=kept, opset=opset)


@settings(max_examples=40, deadline=None)
@given(
    channels=st.integers(1, 8),
    inside=st.integers(1, 5),
    kernel=st.tuples(st.integers(1, 5), st.integers(1, 7)),
    strides=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    pads=st.tuples(*[st.integers(0, 3)] * 4),
    size=st.tuples(st.integers(12, 30), st.integers(12, 30)),
    activation=st.sampled_from(["Relu", "Sigmoid", ""]),
)
def test_packed_positions_keep_the_outputs(
    channels, inside, kernel, strides, pads, size, activation
):
    x = (1, inside, *size)
    model = conv((channels, inside, *kernel), x, activation=activation, strides=strides, pads=pads)
    _, report = apply_pass(PackedPositions(), model, feeds_for(model, 2))
    assert report.outcome in ("changed", "not needed")
    assert report.error <= 1e-5


def test_few_channels_are_packed_with_their_activation():
    operators, report = after(PackedPositions(), conv((1, 8, 3, 3), (1, 8, 20, 20)))
    assert operators[:2] == ["Conv", "Relu"]
    assert "Transpose" in operators
    assert report.outcome == "changed"


def test_an_open_batch_is_packed_too():
    model = conv((2, 3, 3, 3), ("n", 3, 16, 16), pads=[1, 1, 1, 1])
    rewritten, report = apply_pass(PackedPositions(), model, feeds_for(model, size=3))
    assert report.outcome == "changed"
    assert report.error <= 1e-6
    assert len(rewritten.graph.node) == 5


@pytest.mark.parametrize(
    ("shape", "x", "settings"),
    [
        ((32, 8, 3, 3), (1, 8, 20, 20), {}),  # channels enough
        ((2, 1, 3, 3), (1, 2, 20, 20), {"group": 2}),
        ((1, 2, 3, 3), (1, 2, 20, 20), {"dilations": [2, 2]}),
        ((1, 2, 3, 3), (1, 2, 20, 20), {"auto_pad": "SAME_UPPER"}),
        ((1, 2, 3, 3), (1, 2, 6, 6), {}),  # few positions
        ((1, 2, 3, 3), (1, 2, "h", "w"), {}),
        ((1, 2, 3), (1, 2, 99), {}),
    ],
)
def test_other_convolutions_are_left(shape, x, settings):
    _, report = after(PackedPositions(), conv(shape, x, **settings), [])
    assert report.outcome == "not needed"


def test_a_filter_stands_where_its_position_is():
    weight = np.array([[[[1.0, 2.0]]]], np.float32)
    wide = spread(weight, [1, 3], Block(1, 2))
    assert wide.tolist() == [[[[1, 2, 0, 0, 0]]], [[[0, 0, 0, 1, 2]]]]


@pytest.mark.parametrize("settings", [{}, {"pads": [2, 1], "strides": [2]}, {"group": 2}])
def test_a_1d_convolution_becomes_planar_with_its_activation(settings):
    shape = (8, 4 // settings.get("group", 1), 3)
    operators, report = after(PlanarConvolutions(), conv(shape, (1, 4, 17), **settings))
    assert operators == ["Unsqueeze", "Conv", "Relu", "Squeeze"]
    assert report.outcome == "changed"


def test_an_automatic_padding_stays_one():
    model = conv((8, 4, 3), (1, 4, 17), auto_pad="SAME_LOWER")
    assert after(PlanarConvolutions(), model)[1].outcome == "changed"


@pytest.mark.parametrize(
    "model", [conv((8, 4, 3, 3), (1, 4, 9, 9)), conv((8, 4, 3), (1, 4, 9), opset=12)]
)
def test_other_models_are_not_made_planar(model):
    assert after(PlanarConvolutions(), model)[1].outcome == "not needed"


@settings(max_examples=40, deadline=None)
@given(
    channels=st.integers(1, 9),
    inside=st.integers(1, 5),
    width=st.integers(1, 6),
    stride=st.integers(1, 4),
    dilation=st.integers(1, 2),
    pads=st.tuples(st.integers(0, 5), st.integers(0, 5)),
    length=st.integers(11, 17),
    bias=st.booleans(),
)
def test_unrolled_convolutions_keep_the_outputs(
    channels, inside, width, stride, dilation, pads, length, bias
):
    model = conv(
        (channels, inside, width), ("n", inside, length), bias=bias,
        strides=[stride], dilations=[dilation], pads=list(pads),
    )  # fmt: skip
    _, report = apply_pass(UnrolledConvolutions(), model, feeds_for(model, 2))
    assert report.outcome in ("changed", "not needed")
    assert report.error <= 1e-5


def test_few_positions_are_one_product():
    operators, _ = after(UnrolledConvolutions(), conv((8, 4, 3), (1, 4, 5)))
    assert operators == ["Transpose", "Gather", "Reshape", "Gemm", "Relu", "Reshape", "Transpose"]


def test_taps_that_see_only_padding_go():
    model = conv((8, 4, 3), (1, 4, 1), pads=[1, 1])
    rewritten, report = apply_pass(UnrolledConvolutions(), model, feeds_for(model))
    assert report.outcome == "changed"
    assert "Pad" not in [node.op_type for node in rewritten.graph.node]
    assert [4, 8] in [list(tensor.dims) for tensor in rewritten.graph.initializer]


@pytest.mark.parametrize(
    ("shape", "x", "settings"),
    [
        ((8, 4, 3), (1, 4, 40), {}),
        ((8, 4, 3), (1, 4, "time"), {}),
        ((4, 1, 3), (1, 4, 9), {"group": 4}),
        ((8, 4, 3, 3), (1, 4, 5, 5), {}),
        ((8, 4, 3), (1, 4, 9), {"auto_pad": "SAME_UPPER"}),
    ],
)
def test_convolutions_of_more_or_unknown_positions_stay(shape, x, settings):
    _, report = after(UnrolledConvolutions(), conv(shape, x, **settings), [])
    assert report.outcome == "not needed"


def test_odd_channels_are_padded_with_zeros():
    operators, report = after(AlignedChannels(), conv((8, 19, 3, 3), (1, 19, 9, 9)))
    assert operators == ["Pad", "Conv", "Relu"]
    assert report.error <= 1e-6


@pytest.mark.parametrize(
    ("shape", "x", "settings"),
    [
        ((8, 20, 3, 3), (1, 20, 9, 9), {}),
        ((8, 7, 3, 3), (1, 7, 9, 9), {}),
        ((18, 1, 3, 3), (1, 18, 9, 9), {"group": 18}),
    ],
)
def test_channels_in_fours_or_few_are_left(shape, x, settings):
    _, report = after(AlignedChannels(), conv(shape, x, **settings))
    assert report.outcome == "not needed"


@pytest.mark.parametrize(
    ("sizes", "operators"),
    [
        ((1, 32), ["Conv", "Conv", "Add"]),
        ((3, 16, 2, 8), ["Concat", "Conv", "Concat", "Conv", "Add"]),
    ],
)
def test_odd_channels_of_a_concat_are_convolved_apart(sizes, operators):
    names = [f"x{number}" for number in range(len(sizes))]
    kept = [stored("w", weights(np.random.default_rng(3), 2, sum(sizes), 3, 3))]
    kept.append(stored("b", np.array([0.5, -0.5], np.float32)))
    nodes = [
        helper.make_node("Concat", names, ["c"], axis=1),
        helper.make_node("Conv", ["c", "w", "b"], ["y"], pads=[1, 1, 1, 1]),
    ]
    inputs = [value(name, ["n", size, 90, 90]) for name, size in zip(names, sizes, strict=True)]
    model = model_of(nodes, inputs, [value("y", ["n", 2, 90, 90])], kept)
    found, report = after(AlignedChannels(), model)
    assert found == operators
    assert report.error <= 1e-5


def test_open_sizes_that_all_calls_share_are_fixed():
    model = conv((2, 3, 3, 3), ("n", 3, "h", 16))
    calls = [feeds_for(model, 1, size)[0] for size in (5, 5)]
    rewritten, report = apply_pass(StaticShapes().seeing(calls), model, calls)
    assert report.outcome == "changed"
    sizes = [dim.dim_value for dim in rewritten.graph.input[0].type.tensor_type.shape.dim]
    assert sizes == [5, 3, 5, 16]


def test_a_size_that_differs_stays_open():
    model = conv((2, 3, 3, 3), ("n", 3, "h", 16))
    calls = [{"x": np.zeros((1, 3, height, 16), np.float32)} for height in (7, 9)]
    rewritten, _ = apply_pass(StaticShapes().seeing(calls), model, calls)
    dims = rewritten.graph.input[0].type.tensor_type.shape.dim
    assert (dims[0].dim_value, dims[2].dim_param) == (1, "h")


@pytest.mark.parametrize("calls", [[], feeds_for(conv((2, 3, 3, 3), (1, 3, 9, 9)))])
def test_nothing_is_fixed_without_calls_or_open_sizes(calls):
    model = conv((2, 3, 3, 3), (1, 3, 9, 9))
    assert StaticShapes().seeing(calls).unneeded(model) is not None


@dataclass(frozen=True)
class Says:
    ratio: float

    @property
    def is_cheaper(self):
        return self.ratio < 1


@pytest.mark.parametrize(("ratio", "outcome"), [(0.5, "changed"), (1.5, "not cheaper")])
def test_a_form_stays_where_it_is_measured_cheaper(ratio, outcome):
    model = conv((1, 8, 3, 3), (1, 8, 20, 20))
    rewritten, reports = choose_forms(
        [Form(PackedPositions())], model, feeds_for(model), lambda _before, _after: Says(ratio)
    )
    assert [report.outcome for report in reports] == [outcome]
    assert f"{ratio:.2f}× the cost" in reports[0].note
    assert (rewritten == model) == (ratio > 1)


def test_what_does_not_apply_is_not_measured():
    def never(_before, _after):
        raise AssertionError

    model = chain(("Relu", [], {}))
    rewritten, reports = choose_forms(FORMS, model, feeds_for(model), never)
    assert rewritten == model
    assert {report.outcome for report in reports} == {"not needed"}


def test_forms_build_on_each_other():
    model = conv((1, 1, 9), ("n", 1, 200))
    rewritten, reports = choose_forms(
        FORMS, model, feeds_for(model, size=1), lambda _before, _after: Says(0.9)
    )
    outcomes = {report.name: report.outcome for report in reports}
    assert outcomes.pop("aligned-channels") == "not needed"
    assert outcomes.pop("unrolled-convolutions") == "not needed"
    assert set(outcomes.values()) == {"changed"}
    assert [node.op_type for node in rewritten.graph.node].count("Conv") == 1
    assert len({node.name for node in rewritten.graph.node}) == len(rewritten.graph.node)
