"""Repairs keep the function or bring int8 nearer to it, and say so where they find nothing."""

import contextlib

import numpy as np
import pytest
from edgekit_converters.calibration.calibrate import calibrate
from edgekit_converters.graph import copy_of
from edgekit_converters.passes import DEFAULT_PASSES, apply_passes
from edgekit_converters.passes.contract import largest_error
from edgekit_converters.recipes.grid import grid_of
from edgekit_converters.recipes.make import Material, make
from edgekit_converters.recipes.recipe import parse
from edgekit_converters.repairs import choose_rounding, correct_biases, equalize, smooth
from edgekit_converters.repairs.rounding import solve, squared_error
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from networks import model_of, stored, task_of, value, weights
from onnx import ModelProto, helper, numpy_helper
from randomgraphs import graphs
from randomgraphs import images as random_images

from edgekit.errors import ModelError

TASK = """
def samples(split):
    rng = np.random.default_rng(0)
    for number in range(8):
        yield rng.standard_normal({shape}).astype(np.float32), 0, str(number)

def predict(run, input):
    return int(run({{"x": input}})["y"].argmax())
"""


def chain(between="Relu", spread=3.0):
    """Conv → between → depthwise → Relu → Conv, channels of unlike reach."""
    rng = np.random.default_rng(0)
    scale = np.exp(rng.uniform(-spread, spread, 16)).astype(np.float32)
    stores = [
        stored("w1", weights(rng, 16, 3, 3, 3) * scale[:, None, None, None]),
        stored("b1", (rng.standard_normal(16) * scale).astype(np.float32)),
        stored("w2", weights(rng, 16, 1, 3, 3)),
        stored("w3", weights(rng, 8, 16, 1, 1) / scale[None, :, None, None]),
        stored("six", np.float32(6)),
        stored("zero", np.float32(0)),
    ]
    limits = ["zero", "six"] if between == "Clip" else []
    nodes = [
        helper.make_node("Conv", ["x", "w1", "b1"], ["c1"], "first", pads=[1, 1, 1, 1]),
        helper.make_node(between, ["c1", *limits], ["r1"], "between"),
        helper.make_node("Conv", ["r1", "w2"], ["c2"], "deep", group=16, pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c2"], ["r2"], "relu"),
        helper.make_node("Conv", ["r2", "w3"], ["y"], "last"),
    ]
    x, y = value("x", [1, 3, 8, 8]), value("y", [1, 8, 8, 8])
    return model_of(nodes, [x], [y], stores)


def normed():
    """LayerNormalization with outlier channels → two MatMul that read it."""
    rng = np.random.default_rng(0)
    scale = np.ones(16, np.float32)
    scale[:2] = 60
    stores = [
        stored("g", scale),
        stored("b", rng.standard_normal(16).astype(np.float32)),
        stored("w1", weights(rng, 16, 24)),
        stored("w2", weights(rng, 24, 16).T.copy()),
        stored("b2", np.zeros(24, np.float32)),
    ]
    nodes = [
        helper.make_node("LayerNormalization", ["x", "g", "b"], ["n"], "norm"),
        helper.make_node("MatMul", ["n", "w1"], ["m"], "one"),
        helper.make_node("MatMul", ["n", "w2"], ["k"], "two"),
        helper.make_node("Add", ["k", "b2"], ["a"], "add"),
        helper.make_node("Mul", ["m", "a"], ["y"], "mul"),
    ]
    x, y = value("x", [1, 6, 16]), value("y", [1, 6, 24])
    return model_of(nodes, [x], [y], stores)


def material_of(model, tmp_path, shape):
    task = task_of(tmp_path, TASK.format(shape=shape))
    return Material(model, task, calibrate(model, task))


@pytest.fixture
def chained(tmp_path):
    return material_of(chain(), tmp_path, (1, 3, 8, 8))


@pytest.fixture
def norm_material(tmp_path):
    return material_of(normed(), tmp_path, (1, 6, 16))


def dense(settings):
    """Three Gemm with Relu between; some channels are a thousand times larger than others."""
    rng = np.random.default_rng(6)
    uneven = np.where(np.arange(32) % 9, 1, 2000).astype(np.float32)
    first, second, last = weights(rng, 8, 32), weights(rng, 32, 32), weights(rng, 32, 4)
    arrays = [first * uneven, second / uneven[:, None], last]
    if settings:
        arrays = [np.ascontiguousarray(each.T) for each in arrays]
    kept = [stored(f"w{number}", each) for number, each in enumerate(arrays)]
    kept += [stored("b0", uneven), stored("b1", np.zeros(32, np.float32))]
    nodes = [
        helper.make_node("Gemm", ["x", "w0", "b0"], ["h"], name="first", **settings),
        helper.make_node("Relu", ["h"], ["r"], name="between"),
        helper.make_node("Gemm", ["r", "w1", "b1"], ["g"], name="second", **settings),
        helper.make_node("Relu", ["g"], ["s"], name="again"),
        helper.make_node("Gemm", ["s", "w2"], ["y"], name="last", **settings),
    ]
    return model_of(nodes, [value("x", [1, 8])], [value("y", [1, 4])], kept)


def test_equalization_keeps_the_function_and_evens_the_channels(chained):
    model = copy_of(chained.model)
    assert equalize(model) == 2
    assert largest_error(chained.model, model, chained.calibration.feeds) < 1e-5

    def spread(graph):
        array = next(numpy_helper.to_array(t) for t in graph.initializer if t.name == "w1")
        reach = np.abs(array).max(axis=(1, 2, 3))
        return reach.max() / reach.min()

    assert spread(model.graph) < spread(chained.model.graph) / 5


def test_equalization_does_not_go_through_a_clip_to_six():
    model = chain("Clip")
    assert equalize(model) == 1  # the depthwise and what follows its Relu
    array = next(numpy_helper.to_array(t) for t in model.graph.initializer if t.name == "w1")
    before = next(
        numpy_helper.to_array(t) for t in chain("Clip").graph.initializer if t.name == "w1"
    )
    assert np.array_equal(array, before)


@pytest.mark.parametrize("settings", [{}, {"transB": 1}], ids=["plain", "transposed"])
def test_dense_layers_are_equalized_up_to_the_int8_model_that_was_noise_before(tmp_path, settings):
    model = dense(settings)
    moved = copy_of(model)
    feeds = [{"x": rows} for rows in np.random.default_rng(8).normal(size=(3, 1, 8)).astype("f4")]
    assert equalize(moved) == 2
    assert largest_error(model, moved, feeds) < 1e-5
    material = material_of(model, tmp_path, (1, 8))
    feeds = material.calibration.feeds

    def error(name):
        content = make(parse(name), material).content
        return largest_error(model, ModelProto.FromString(content), feeds)

    assert error("int8_static_all_equalize") < 0.1 < 0.5 < error("int8_static_all")


def test_a_product_along_another_axis_is_no_pair_of_a_convolution():
    nodes = [
        helper.make_node("Conv", ["x", "k"], ["c"], name="conv"),
        helper.make_node("MatMul", ["c", "w"], ["y"], name="product"),
    ]
    rng = np.random.default_rng(2)
    kept = [stored("k", weights(rng, 6, 3, 1)), stored("w", weights(rng, 6, 4))]
    model = model_of(nodes, [value("x", [1, 3, 6])], [value("y", [1, 6, 4])], kept)
    assert equalize(model) == 0


def test_a_tensor_that_leaves_the_model_is_not_scaled():
    model = chain()
    model.graph.output.append(value("r1", [1, 16, 8, 8]))
    assert equalize(model) == 1


def test_smoothing_keeps_the_function_and_takes_outliers_off_the_activations(norm_material):
    model = copy_of(norm_material.model)
    feeds = norm_material.calibration.feeds
    assert smooth(model, feeds) == 1
    assert largest_error(norm_material.model, model, feeds) < 1e-5
    scale = next(numpy_helper.to_array(t) for t in model.graph.initializer if t.name == "g")
    assert scale.max() / np.median(scale) < 20


def test_a_norm_that_something_else_reads_is_left(norm_material):
    model = copy_of(norm_material.model)
    model.graph.output.append(value("n", [1, 6, 16]))
    assert smooth(model, norm_material.calibration.feeds) == 0


def test_solved_rounding_is_on_the_grid_keeps_the_greatest_and_is_nearer():
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((400, 6)) @ rng.standard_normal((6, 30))  # correlated
    rows += 0.05 * rng.standard_normal(rows.shape)
    matrix = rng.standard_normal((10, 30))
    steps = np.abs(matrix).max(axis=1, keepdims=True) / 7
    solved = solve(matrix, steps, 7, rows)
    numbers = solved / steps
    assert np.allclose(numbers, np.rint(numbers))
    assert np.abs(numbers).max() <= 7 + 1e-9
    assert np.allclose(np.abs(solved).max(axis=1), np.abs(matrix).max(axis=1))
    plain = np.rint(matrix / steps) * steps
    assert squared_error(rows, matrix - solved) < 0.5 * squared_error(rows, matrix - plain)


def test_chosen_rounding_survives_the_quantizer(chained):
    """The float weights that come out are on the grid that the quantizer finds again."""
    recipe = parse("int8_static_conv_perchannel_round")
    model = copy_of(chained.model)
    assert choose_rounding(model, recipe, ["first", "last"], chained.calibration.feeds) >= 1
    for node in model.graph.node:
        if node.name in ("first", "last"):
            array = next(
                numpy_helper.to_array(t) for t in model.graph.initializer if t.name == node.input[1]
            )
            assert np.allclose(grid_of(node, array, recipe).rounded(array), array, rtol=1e-6) or (
                node.name == "last"
            )


def test_corrected_biases_take_the_shift_away(chained):
    recipe = parse("int8_static_conv_perchannel_bias")
    model = copy_of(chained.model)
    names = ["first", "deep", "last"]
    ranges = chained.calibration.ranges
    feeds = chained.calibration.feeds
    assert correct_biases(model, recipe, names, ranges, feeds) == 3
    assert all(len(node.input) == 3 for node in model.graph.node if node.op_type == "Conv")


@pytest.mark.parametrize(
    "name",
    [
        "int8_static_conv_equalize",
        "int8_static_conv_perchannel_round",
        "int8_static_conv_bias",
        "int8_static_conv_equalize_round_bias",
    ],
)
def test_a_repaired_candidate_is_nearer_or_refused_with_the_figures(chained, name):
    try:
        made = make(parse(name), chained)
    except ModelError as error:
        refused = error.problem
    else:
        refused = ""
    if refused:
        assert "the repairs gain nothing: outputs go from" in refused
        assert name != "int8_static_conv_equalize"
        return
    assert set(made.repairs) == set(parse(name).repairs)
    assert all("outputs go from" in note for note in made.repairs.values())


def test_smoothing_helps_a_model_with_outlier_channels(norm_material):
    made = make(parse("int8_static_matmul_perchannel_smooth"), norm_material)
    assert made.repairs["smooth"].startswith("1 norms; outputs go from")


def test_a_repair_without_work_is_refused(chained, norm_material):
    with pytest.raises(ModelError, match="smooth finds no norms to change"):
        make(parse("int8_static_conv_smooth"), chained)
    with pytest.raises(ModelError, match="equalize finds no pairs of layers"):
        make(parse("int8_static_matmul_equalize"), norm_material)


def test_a_repaired_recipe_gives_the_same_bytes(chained):
    recipe = parse("int8_static_conv_equalize_bias")
    assert make(recipe, chained).content == make(recipe, chained).content


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(graphs(), st.sampled_from(["conv", "all"]))
def test_on_any_graph_repairs_and_quantization_keep_their_promise_or_refuse(
    tmp_path_factory, graph, operators
):
    folder = tmp_path_factory.mktemp("random")
    model, _ = apply_passes(DEFAULT_PASSES, graph, random_images(2))
    moved = copy_of(model)
    equalize(moved)
    assert largest_error(model, moved, random_images(3)) < 1e-3
    material = material_of(model, folder, (1, 3, 6, 6))
    for repairs in ("", "_equalize_bias", "_round"):
        with contextlib.suppress(ModelError):
            assert make(parse(f"int8_static_{operators}_perchannel{repairs}"), material).changed
