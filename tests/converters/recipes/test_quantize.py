import logging
import os
import subprocess
import sys

import numpy as np
import onnx
import pytest
from edgekit_converters.calibration.calibrate import Range, calibrate
from edgekit_converters.passes import DEFAULT_PASSES, apply_passes
from edgekit_converters.passes.contract import difference
from edgekit_converters.recipes.placement import decide, lowered_operators
from edgekit_converters.recipes.quantize import rewrite
from edgekit_converters.recipes.recipe import parse
from edgekit_converters.search.ladder import PLAIN
from networks import FLOAT, conv_net, embedding_net, model_of, outputs, stored, value, weights
from onnx import helper

from edgekit.errors import ModelError

NOT_FOR_IT = ("int8_static_pointwise_perchannel", "int8_weightonly_matmul")
RECIPES = [recipe for recipe in PLAIN if recipe.name not in NOT_FOR_IT]
"""All that stand for themselves but those that find nothing to do in `conv_net`."""
MADE = [recipe for recipe in RECIPES if recipe.name != "int8_dynamic_all_perchannel"]


@pytest.fixture
def clean(images):
    model, _ = apply_passes(DEFAULT_PASSES, conv_net(), images)
    return model


@pytest.fixture
def ranges(clean, task):
    return calibrate(clean, task).ranges


@pytest.mark.parametrize("recipe", RECIPES, ids=str)
def test_every_recipe_makes_a_model_that_runs_and_stays_near(clean, ranges, images, recipe):
    made = rewrite(clean, decide(clean, recipe, ranges), ranges)
    assert made.changed
    expected = outputs(clean.SerializeToString(), images[0])["y"]
    found = outputs(made.content, images[0])["y"]
    assert 0 < difference(expected, found) < 0.1


def test_operator_subsets_lower_what_they_say(clean, ranges):
    def lowered(name):
        return rewrite(clean, decide(clean, parse(name), ranges), ranges).changed

    assert lowered("int8_static_all_perchannel") == {"Conv": 2, "Gemm": 1}
    assert lowered("int8_static_conv_perchannel") == {"Conv": 2}
    assert lowered("int8_static_matmul") == {"Gemm": 1}
    assert lowered("int8_dynamic_matmul_perchannel") == {"MatMulInteger": 1}
    assert lowered("fp16")["Conv"] == 2


def test_int8_models_are_a_third_of_the_size(ranges, clean):
    big = conv_net(channels=64)
    plan = decide(clean, parse("int8_static_all"), ranges)
    made = rewrite(named(big), plan, ranges)
    assert len(made.content) < big.ByteSize() / 3


def named(model):
    return apply_passes(DEFAULT_PASSES, model, [])[0]


def test_seven_bit_weights_use_seven_bits(clean, ranges):
    def largest(name):
        content = rewrite(clean, decide(clean, parse(name), ranges), ranges).content
        model = onnx.load_from_string(content)
        int8 = [t for t in model.graph.initializer if t.data_type == onnx.TensorProto.INT8]
        return max(np.abs(onnx.numpy_helper.to_array(t).astype(int)).max() for t in int8)

    assert largest("int8_static_conv_perchannel") == 127
    assert largest("int8_static_conv_perchannel_7bit") == 64


def test_a_model_without_the_operators_says_so(ranges):
    node = helper.make_node("Relu", ["x"], ["y"], name="only")
    model = model_of([node], [value("x", [1])], [value("y", [1])])
    for name in ("int8_static_all_perchannel", "int8_dynamic_matmul_perchannel"):
        recipe = parse(name)
        with pytest.raises(ModelError, match="nothing to quantize"):
            rewrite(model, decide(model, recipe, {}), {})


def test_constants_that_are_nodes_are_no_activations(images):
    """The quantizer asks for a range of what a Constant node gives."""
    kernel = stored("w", np.ones((16, 3, 3, 3), np.float32))
    again = stored("v", np.ones((16, 16, 3, 3), np.float32))
    nodes = [
        helper.make_node("Constant", [], ["half"], value=stored("", np.float32([0.5]))),
        helper.make_node("Conv", ["x", "w"], ["a"], name="first"),
        helper.make_node("Mul", ["a", "half"], ["b"], name="between"),
        helper.make_node("Conv", ["b", "v"], ["y"], name="second"),
    ]
    y = value("y", ["batch", 16, 12, 12])
    model = model_of(nodes, [value("x", ["batch", 3, 16, 16])], [y], [kernel, again])
    ranges = dict.fromkeys(("x", "a", "b", "y"), Range(-40.0, 40.0))
    plan = decide(model, parse("int8_static_all"), ranges)
    assert "between" in plan.nodes
    made = rewrite(model, plan, ranges).content
    assert outputs(made, images[0])["y"].shape == (1, 16, 12, 12)


def test_a_rewrite_that_changed_nothing_is_an_error():
    """An operator without weights is left by the float16 converter."""
    node = helper.make_node("Relu", ["x"], ["y"], name="only")
    model = model_of([node], [value("x", [1])], [value("y", [1])])
    recipe = parse("fp16")
    with pytest.raises(ModelError, match="left every operator as it was"):
        rewrite(model, decide(model, recipe, {}), {})


def test_a_node_whose_range_is_unusable_stays_float_with_the_reason(clean, ranges):
    first = next(node for node in clean.graph.node if node.op_type == "Conv")
    wild = {**ranges, first.output[0]: Range(-np.inf, 1.0)}
    plan = decide(clean, parse("int8_static_conv_perchannel"), wild)
    assert first.name not in plan.nodes
    assert plan.skipped == {first.name: f"{first.output[0]!r} reaches from -inf to 1"}
    assert rewrite(clean, plan, wild).changed == {"Conv": 1}


def test_per_channel_scales_need_opset_13(ranges):
    model = conv_net(opset=11)
    for number, node in enumerate(model.graph.node):
        node.name = str(number)
    plan = decide(model, parse("int8_static_all_perchannel"), ranges)
    with pytest.raises(ModelError, match="per-channel scales need 13"):
        rewrite(model, plan, ranges)


def test_integer_inputs_do_not_disturb(tmp_path):
    model = named(embedding_net())
    floats = {"embedded": Range(-2, 2), "logits": Range(-4, 4), "y": Range(0, 1)}
    floats["as_float"] = Range(0, 20)
    feeds = {"tokens": np.arange(5)[None]}
    expected = outputs(model.SerializeToString(), feeds)
    for name in ("int8_static_all_perchannel", "int8_dynamic_matmul_perchannel", "fp16"):
        made = rewrite(model, decide(model, parse(name), floats), floats)
        found = outputs(made.content, feeds)
        assert difference(expected["y"], found["y"]) < 0.1
        assert np.array_equal(found["as_float"], np.arange(5, dtype=np.float32)[None])


def test_a_shared_bias_does_not_collide_with_a_tensor_of_the_copys_name(images):
    """onnxruntime calls the copy of bias `b` `b2`; here that is an activation's name."""
    rng = np.random.default_rng(0)
    initializers = [
        stored("w1", weights(rng, 3, 3, 3, 3)),
        stored("w2", weights(rng, 3, 3, 3, 3)),
        stored("b", rng.standard_normal(3).astype(np.float32)),
    ]
    nodes = [
        helper.make_node("Conv", ["x", "w1", "b"], ["b2"], "first", pads=[1, 1, 1, 1]),
        helper.make_node("Conv", ["x", "w2", "b"], ["other"], "second", pads=[1, 1, 1, 1]),
        helper.make_node("Neg", ["b2"], ["negative"], "neg"),
        helper.make_node("Add", ["negative", "other"], ["y"], "add"),
    ]
    shape = [1, 3, 16, 16]
    model = model_of(nodes, [value("x", shape)], [value("y", shape)], initializers)
    ranges = dict.fromkeys(("x", "b2", "other", "negative", "y"), Range(-8, 8))
    made = rewrite(model, decide(model, parse("int8_static_conv_perchannel"), ranges), ranges)
    expected = outputs(model.SerializeToString(), images[0])["y"]
    assert difference(expected, outputs(made.content, images[0])["y"]) < 0.1


def test_the_library_logs_nothing(clean, ranges, capfd):
    handlers = list(logging.root.handlers)
    for recipe in MADE:
        rewrite(clean, decide(clean, recipe, ranges), ranges)
    captured = capfd.readouterr()
    assert captured.out + captured.err == ""
    assert logging.root.handlers == handlers
    assert logging.root.manager.disable == 0


SCRIPT = """
import hashlib, sys
import onnx
from edgekit_converters.calibration.calibrate import Range
from edgekit_converters.recipes.placement import decide
from edgekit_converters.recipes.quantize import rewrite
from edgekit_converters.recipes.recipe import parse
model = onnx.load(sys.argv[1])
names = [name for node in model.graph.node for name in (*node.input, *node.output)]
ranges = dict.fromkeys(names, Range(-4.0, 4.0))
recipes = map(parse, sys.argv[2:])
made = b"".join(rewrite(model, decide(model, r, ranges), ranges).content for r in recipes)
print(hashlib.sha256(made).hexdigest())
"""


def test_a_recipe_gives_the_same_bytes_in_every_process(clean, tmp_path):
    path = tmp_path / "clean.onnx"
    onnx.save(clean, path)
    digests = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT, str(path), *map(str, RECIPES)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(digests) == 1


def test_an_fp32_model_has_no_lowered_operators(clean):
    assert lowered_operators(clean) == {}
    node = helper.make_node("Cast", ["x"], ["y"], to=FLOAT)
    model = model_of([node], [value("x", [1])], [value("y", [1])])
    assert lowered_operators(model) == {}
