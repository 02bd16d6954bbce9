from dataclasses import dataclass, field

import numpy as np
import onnx
import pytest
from edgekit_converters.graph import copy_of, opset
from edgekit_converters.passes import DEFAULT_PASSES, apply_passes
from edgekit_converters.passes.contract import apply_pass, difference
from edgekit_converters.passes.dead_ends import DeadEnds
from edgekit_converters.passes.node_names import NodeNames
from edgekit_converters.passes.offline_optimization import OfflineOptimization
from edgekit_converters.passes.opset_upgrade import OpsetUpgrade
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import conv_net, embedding_net, model_of, stateful_net, stored, value
from onnx import helper


@dataclass
class Scale:
    """A pass that breaks its promise by a factor."""

    factor: float
    name: str = "scale"
    tolerance: float = 1e-3
    calls: list = field(default_factory=list)

    def unneeded(self, model):
        return None

    def apply(self, model):
        for tensor in model.graph.initializer:
            array = onnx.numpy_helper.to_array(tensor) * np.float32(self.factor)
            tensor.CopyFrom(onnx.numpy_helper.from_array(array, tensor.name))
        return model


class Breaks(Scale):
    def apply(self, model):
        model.graph.node[0].input[0] = "nothing"
        return model


class Throws(Scale):
    def apply(self, model):
        raise KeyError("oops")


def test_a_pass_that_changes_the_outputs_is_reverted_with_the_error(images):
    model = conv_net()
    after, report = apply_pass(Scale(1.1), model, images)
    assert report.outcome == "reverted"
    assert report.error > 0.1
    assert after is model


def test_a_change_within_the_tolerance_stands(images):
    after, report = apply_pass(Scale(1.0001), conv_net(), images)
    assert report.outcome == "changed"
    assert 0 < report.error <= 1e-3
    assert after != conv_net()


def test_a_pass_that_changed_nothing_says_so(images):
    _, report = apply_pass(Scale(1.0), conv_net(), images)
    assert report.outcome == "unchanged"


@pytest.mark.parametrize("broken", [Breaks(1.0), Throws(1.0)])
def test_a_pass_that_fails_leaves_the_model(images, broken):
    model = conv_net()
    after, report = apply_pass(broken, model, images)
    assert report.outcome == "reverted"
    assert report.note
    assert after == conv_net()


def test_the_model_given_is_not_touched(images):
    model = conv_net()
    before = copy_of(model)
    apply_passes(DEFAULT_PASSES, model, images)
    assert model == before


def test_every_pass_reports(images):
    _, reports = apply_passes(DEFAULT_PASSES, conv_net(opset=11), images)
    assert [report.name for report in reports] == [each.name for each in DEFAULT_PASSES]


def test_dead_ends_go_with_their_weights(images):
    model = conv_net()
    model.graph.node.append(helper.make_node("Mul", ["r1", "unused"], ["nowhere"]))
    model.graph.initializer.append(stored("unused", np.ones(1, np.float32)))
    after, report = apply_pass(DeadEnds(), model, images)
    assert report.outcome == "changed"
    assert after.graph == conv_net().graph


def test_a_weight_posing_as_input_becomes_a_constant(images):
    model = conv_net()
    model.graph.input.append(value("w1", [16, 3, 3, 3]))
    after, _ = apply_pass(DeadEnds(), model, images)
    assert [each.name for each in after.graph.input] == ["x"]


def branching_net():
    """What the branches of an If take from outside is still wanted."""
    one = helper.make_graph(
        [helper.make_node("Mul", ["doubled", "doubled"], ["a"])], "then", [], [value("a", [2])]
    )
    other = helper.make_graph(
        [helper.make_node("Identity", ["kept"], ["b"])], "else", [], [value("b", [2])]
    )
    nodes = [
        helper.make_node("Add", ["x", "x"], ["doubled"]),
        helper.make_node("If", ["flag"], ["y"], then_branch=one, else_branch=other),
    ]
    inputs = [value("x", [2]), value("flag", [], onnx.TensorProto.BOOL)]
    kept = stored("kept", np.array([5, 6], np.float32))
    return model_of(nodes, inputs, [value("y", [2])], [kept])


def test_what_a_branch_reads_is_no_dead_end():
    feeds = [{"x": np.ones(2, np.float32), "flag": np.array(flag)} for flag in (True, False)]
    _, report = apply_pass(DeadEnds(), branching_net(), feeds)
    assert report.outcome == "unchanged"


def test_an_old_opset_is_raised_as_far_as_needed(images):
    after, report = apply_pass(OpsetUpgrade(), conv_net(opset=9), images)
    assert report.outcome == "changed"
    assert opset(after) == 13


def test_a_new_opset_is_left():
    _, report = apply_pass(OpsetUpgrade(), conv_net(opset=17), [])
    assert (report.outcome, report.note) == ("not needed", "opset 17 is new enough")


def test_offline_optimization_folds_constants():
    nodes = [
        helper.make_node("Add", ["a", "b"], ["sum"]),
        helper.make_node("Mul", ["x", "sum"], ["y"]),
    ]
    two = [stored("a", np.ones(2, np.float32)), stored("b", np.ones(2, np.float32))]
    model = model_of(nodes, [value("x", [2])], [value("y", [2])], two)
    after, report = apply_pass(OfflineOptimization(), model, [{"x": np.ones(2, np.float32)}])
    assert report.outcome == "changed"
    assert [node.op_type for node in after.graph.node] == ["Mul"]
    assert [each.domain for each in after.opset_import] == [""]


def test_every_node_gets_a_name_of_its_own(images):
    model = conv_net()
    model.graph.node[0].name = "Relu_1"  # what the next node would be called
    after, _ = apply_pass(NodeNames(), model, images)
    names = [node.name for node in after.graph.node]
    assert len(set(names)) == len(names)
    assert names[0] == "Relu_1"
    assert "" not in names


def feeds_of(model, seed):
    rng = np.random.default_rng(seed)
    feeds = {}
    for each in model.graph.input:
        shape = [d.dim_value or 2 for d in each.type.tensor_type.shape.dim]
        if each.type.tensor_type.elem_type == onnx.TensorProto.INT64:
            feeds[each.name] = rng.integers(0, 20, shape)
        else:
            feeds[each.name] = rng.standard_normal(shape).astype(np.float32)
    return feeds


@settings(max_examples=15, deadline=None)
@given(
    build=st.sampled_from([conv_net, embedding_net, stateful_net]),
    seed=st.integers(0, 1000),
)
def test_the_default_passes_keep_the_outputs(build, seed):
    import onnxruntime

    model = build()
    after, reports = apply_passes(DEFAULT_PASSES, model, [feeds_of(model, seed)])
    assert "reverted" not in {report.outcome for report in reports}
    unseen = feeds_of(model, seed + 1)
    results = [
        onnxruntime.InferenceSession(m.SerializeToString()).run(None, unseen)
        for m in (model, after)
    ]
    for before, now in zip(*results, strict=True):
        np.testing.assert_allclose(now, before, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("expected", "found", "error"),
    [
        ([1.0, 2.0], [1.0, 2.0], 0.0),
        ([1.0, 2.0], [1.0, 2.2], 0.1),
        ([1.0, np.inf], [1.0, np.inf], 0.0),
        ([1.0, np.inf], [1.0, 2.0], np.inf),
        ([1.0, 2.0], [1.0, np.nan], np.inf),
        ([1.0, 2.0], [[1.0, 2.0]], np.inf),
        ([0.0], [0.0], 0.0),
    ],
)
def test_the_difference_is_a_share_of_the_largest_magnitude(expected, found, error):
    arrays = (np.array(expected), np.array(found))
    assert difference(*arrays) == pytest.approx(error)


def test_integers_must_be_equal():
    assert difference(np.array([1, 2]), np.array([1, 2])) == 0
    assert difference(np.array([1, 2]), np.array([1, 3])) == np.inf
    assert difference(np.array([1, 2]), np.array([1, 2], np.int32)) == np.inf
