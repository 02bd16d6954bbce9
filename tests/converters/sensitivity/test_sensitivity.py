import numpy as np
import pytest
from edgekit_converters.calibration.calibrate import calibrate
from edgekit_converters.calibration.histogram import Tally
from edgekit_converters.passes import DEFAULT_PASSES, apply_passes
from edgekit_converters.recipes.make import Material, make
from edgekit_converters.recipes.recipe import parse
from edgekit_converters.sensitivity.closeness import PERFECT_DB, decibels
from edgekit_converters.sensitivity.sensitivity import analyse, facts_of
from networks import conv_net, embedding_net, model_of, stored, task_of, value, weights
from onnx import helper, numpy_helper

RECIPE = parse("int8_static_all_perchannel")


def material_of(model, task):
    model, _ = apply_passes(DEFAULT_PASSES, model, [])
    return Material(model, task, calibrate(model, task))


@pytest.fixture
def material(task):
    return material_of(conv_net(), task)


def test_every_layer_has_its_errors_and_the_weaker_side_explains_its_own(material):
    found = analyse(RECIPE, material, make(RECIPE, material))
    assert [layer.operator for layer in found.layers] == ["Conv", "Conv", "Gemm"]
    for layer in found.layers:
        noise = 10 ** (-layer.weights_db / 10) + 10 ** (-layer.activations_db / 10)
        assert layer.own_db == pytest.approx(-10 * np.log10(noise), abs=1.5)
        assert 20 < layer.accumulated_db < layer.own_db + 3
        assert layer.is_quantized
        assert layer.input is not None
    assert set(found.outputs_db) == {"y"}


def test_a_bad_weight_is_blamed_on_weights_and_ranked_first(task):
    """One weight a thousand times the others in a per-tensor scale leaves the others nothing."""
    model = conv_net()
    tensor = next(each for each in model.graph.initializer if each.name == "w2")
    array = numpy_helper.to_array(tensor).copy()
    array[0, 0, 0, 0] = 300
    tensor.CopyFrom(numpy_helper.from_array(array, "w2"))
    material = material_of(model, task)
    recipe = parse("int8_static_all")
    worst = analyse(recipe, material, make(recipe, material)).ranked[0]
    assert (worst.index, worst.operator) == (1, "Conv")
    assert worst.weights_db < worst.activations_db - 3
    assert worst.channel_spread > 100


OUTLIER = """
def samples(split):
    rng = np.random.default_rng(0)
    for number in range(8):
        image = rng.standard_normal((1, 3, 16, 16)).astype(np.float32)
        image[0, 0, 0, 0] = 500
        yield image, 0, str(number)

def predict(run, input):
    return int(run({"x": input})["y"].argmax())
"""


def test_an_outlier_is_blamed_on_activations_and_seen_in_the_facts(tmp_path):
    material = material_of(conv_net(), task_of(tmp_path, OUTLIER))
    first = analyse(RECIPE, material, make(RECIPE, material)).layers[0]
    assert first.activations_db < first.weights_db
    assert first.input.high == 500
    assert first.input.outlier_ratio > 50


def test_layers_that_stay_float_are_told_apart(material):
    recipe = parse("int8_static_all_perchannel_keep0")
    found = analyse(recipe, material, make(recipe, material))
    assert [layer.is_quantized for layer in found.layers] == [False, True, True]
    assert found.layers[0].index not in [layer.index for layer in found.ranked]
    assert found.layers[0].accumulated_db > 40


def test_a_dynamic_recipe_and_integer_inputs_are_measured_too(tmp_path):
    body = (
        "def samples(split):\n    for n in range(4):\n"
        "        yield np.arange(n, n + 5)[None], 0, str(n)\n"
        "def predict(run, input):\n    return run({'tokens': input})['y'].argmax(-1)\n"
    )
    material = material_of(embedding_net(), task_of(tmp_path, body))
    recipe = parse("int8_dynamic_matmul_perchannel")
    found = analyse(recipe, material, make(recipe, material))
    assert [layer.operator for layer in found.layers] == ["MatMul"]
    assert found.layers[0].is_quantized
    assert found.outputs_db["as_float"] == PERFECT_DB


def test_depthwise_layers_are_known(tmp_path):
    rng = np.random.default_rng(0)
    stores = [stored("w", weights(rng, 3, 1, 3, 3)), stored("v", weights(rng, 4, 3, 1, 1))]
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], "deep", group=3, pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c"], ["r"], "relu"),
        helper.make_node("Conv", ["r", "v"], ["y"], "point"),
    ]
    shapes = value("x", [1, 3, 16, 16]), value("y", [1, 4, 16, 16])
    model = model_of(nodes, [shapes[0]], [shapes[1]], stores)
    material = material_of(model, task_of(tmp_path, OUTLIER))
    found = analyse(RECIPE, material, make(RECIPE, material))
    assert [layer.is_depthwise for layer in found.layers] == [True, False]
    assert all(layer.accumulated_db is not None for layer in found.layers)


def test_decibels_are_bounded():
    assert decibels(1, 0) == PERFECT_DB
    assert decibels(0, 1) == -PERFECT_DB
    assert decibels(100, 1) == pytest.approx(20)
    assert decibels(1, float("inf")) == -PERFECT_DB


def test_facts_say_how_far_outliers_reach():
    tally = Tally()
    tally.add("t", np.append(np.linspace(-1, 1, 9999), [40]).astype(np.float32))
    tally.add("t", np.zeros(10_000, np.float32))
    facts = facts_of("t", tally.histogram())
    assert facts.outlier_ratio == pytest.approx(40, rel=0.05)
    assert facts.zero_share == pytest.approx(0.5, abs=0.01)
    assert facts.percentiles[2] == 0


LSTM_TASK = """
import numpy as np
def samples(split):
    for number in range(6):
        yield np.random.default_rng(number).standard_normal((5, 1, 6)).astype("float32"), 0, "g"
def predict(run, input):
    return run({"x": input})["y"]
def score(predictions, labels):
    return 1.0
"""


@pytest.mark.parametrize("name", ["int8_dynamic_all", "int8_dynamic_all_perchannel"])
def test_an_lstm_has_an_error_of_its_own_beside_its_float_one(tmp_path, name):
    """Its own error holds that of weights and input, and of the hidden state, rounded each step."""
    rng = np.random.default_rng(3)
    stores = [stored("w", weights(rng, 1, 32, 6)), stored("r", weights(rng, 1, 32, 8))]
    node = helper.make_node("LSTM", ["x", "w", "r"], ["", "h"], name="memory", hidden_size=8)
    last = helper.make_node("Squeeze", ["h"], ["y"], name="last")
    model = model_of([node, last], [value("x", [5, 1, 6])], [value("y", [8])], stores)
    task = task_of(tmp_path, LSTM_TASK)
    material = Material(model, task, calibrate(model, task))
    recipe = parse(name)
    (layer,) = analyse(recipe, material, make(recipe, material)).layers
    assert (layer.operator, layer.index, layer.is_quantized) == ("LSTM", 0, True)
    assert 20 < layer.own_db < min(layer.weights_db, layer.activations_db) < 60
