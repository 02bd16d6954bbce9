"""Recipes made end to end: each loads, runs near fp32, and says how it runs."""

import numpy as np
import onnx
import pytest
from edgekit_converters.calibration.calibrate import Range, calibrate
from edgekit_converters.passes import DEFAULT_PASSES, apply_passes
from edgekit_converters.passes.contract import difference
from edgekit_converters.recipes.fusion import fused_regions, inspect
from edgekit_converters.recipes.make import Material, make
from edgekit_converters.recipes.placement import decide, lowered_operators, weighted_nodes
from edgekit_converters.recipes.recipe import parse
from edgekit_converters.recipes.weightonly import blocks, to_weight_only
from networks import conv_net, embedding_net, model_of, outputs, stored, task_text, value, weights
from onnx import helper

from edgekit.errors import ModelError
from edgekit.task import load_task


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    path = tmp_path_factory.mktemp("material") / "task.py"
    path.write_text(task_text())
    task = load_task(path)
    model, _ = apply_passes(DEFAULT_PASSES, conv_net(channels=32), feeds_of(3))
    return Material(model, task, calibrate(model, task))


def feeds_of(count):
    rng = np.random.default_rng(9)
    return [{"x": rng.standard_normal((1, 3, 16, 16)).astype(np.float32)} for _ in range(count)]


@pytest.mark.parametrize(
    "name",
    [
        "fp16",
        "fp16_keep0",
        "int8_dynamic_matmul_perchannel",
        "int8_static_all_perchannel",
        "int8_static_all_perchannel_percentile",
        "int8_static_all_perchannel_mse",
        "int8_static_all_perchannel_entropy",
        "int8_static_s8_all_perchannel",
        "int8_static_s16_all_perchannel",
        "int8_static_largeconv_perchannel_keep0",
        "int8_weightonly_matmul",
        "int8_weightonly_all",
        "int4_weightonly_matmul",
    ],
)
def test_every_kind_of_recipe_loads_and_stays_near(material, name):
    made = make(parse(name), material)
    expected = outputs(material.model.SerializeToString(), feeds_of(1)[0])["y"]
    error = difference(expected, outputs(made.content, feeds_of(1)[0])["y"])
    assert made.changed
    assert 0 < error < (0.3 if "int4" in name or "percentile" in name else 0.1)


def test_u8_runs_on_integers_and_s16_is_said_to_run_unfused(material):
    fused = make(parse("int8_static_all_perchannel"), material).fused
    assert fused.integer == {"QGemm": 1, "QLinearConv": 2, "QLinearGlobalAveragePool": 1}
    assert not fused.unfused
    wide = make(parse("int8_static_s16_conv_perchannel"), material).fused
    assert wide.integer == {}
    assert set(wide.unfused.values()) <= {"Conv", "FusedConv"}
    assert len(wide.unfused) == 2


def test_kept_nodes_stay_float_with_the_reason(material):
    names = weighted_nodes(material.model)
    assert len(names) == 3
    made = make(parse("int8_static_all_perchannel_keep0.2"), material)
    assert made.skipped == dict.fromkeys((names[0], names[2]), "the recipe keeps it")
    assert made.changed == {"Conv": 1}
    with pytest.raises(ModelError, match="no weighted node 3, the model has 3"):
        make(parse("int8_static_all_perchannel_keep3"), material)


def test_subsets_take_the_convolutions_that_they_are_about():
    rng = np.random.default_rng(0)
    shapes = {"wide": (32, 16, 3, 3), "point": (8, 32, 1, 1), "deep": (8, 1, 3, 3)}
    nodes, source = [], "x"
    for name, shape in shapes.items():
        group = 8 if name == "deep" else 1
        pads = [shape[2] // 2] * 4
        inputs = [source, f"w_{name}"]
        nodes.append(helper.make_node("Conv", inputs, [name], name, pads=pads, group=group))
        source = name
    stores = [stored(f"w_{name}", weights(rng, *shape)) for name, shape in shapes.items()]
    shape = [1, 16, 8, 8]
    model = model_of(nodes, [value("x", shape)], [value("deep", [1, 8, 8, 8])], stores)
    ranges = dict.fromkeys(("x", *shapes), Range(-1, 1))

    def chosen(operators):
        return decide(model, parse(f"int8_static_{operators}_perchannel"), ranges).nodes

    assert chosen("conv") == ("wide", "point", "deep")
    assert chosen("largeconv") == ("wide",)
    assert chosen("pointwise") == ("point",)


def gelu_between_convolutions():
    """conv → x/√2 → erf → +1 → ·x → ·0.5 → conv, as exporters write a GELU."""
    rng = np.random.default_rng(0)
    stores = [
        stored("w1", weights(rng, 16, 3, 3, 3)),
        stored("w2", weights(rng, 16, 16, 3, 3)),
        stored("root", np.float32(np.sqrt(2))),
        stored("one", np.float32(1)),
        stored("half", np.float32(0.5)),
    ]
    nodes = [
        helper.make_node("Conv", ["x", "w1"], ["c"], "first", pads=[1, 1, 1, 1]),
        helper.make_node("Div", ["c", "root"], ["d"], "div"),
        helper.make_node("Erf", ["d"], ["e"], "erf"),
        helper.make_node("Add", ["e", "one"], ["a"], "add"),
        helper.make_node("Mul", ["c", "a"], ["m"], "mul"),
        helper.make_node("Mul", ["m", "half"], ["g"], "half"),
        helper.make_node("Conv", ["g", "w2"], ["y"], "second", pads=[1, 1, 1, 1]),
    ]
    x, y = value("x", [1, 3, 8, 8]), value("y", [1, 16, 8, 8])
    return model_of(nodes, [x], [y], stores)


def test_what_the_runtime_computes_as_one_operator_stays_whole():
    model = gelu_between_convolutions()
    (region,) = fused_regions(model)
    assert region == {"div", "erf", "add", "mul", "half"}
    ranges = dict.fromkeys("xcdeamgy", Range(-3, 3))
    plan = decide(model, parse("int8_static_all_perchannel"), ranges)
    assert plan.nodes == ("first", "second")


def test_operators_alone_between_float_neighbours_stay_float():
    """int8 for one Add would cost three conversions."""
    rng = np.random.default_rng(0)
    stores = [stored("w", weights(rng, 4, 4, 1, 1)), stored("c", np.float32(0.1))]
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"], "conv"),
        helper.make_node("Relu", ["a"], ["b"], "after"),
        helper.make_node("Exp", ["b"], ["e"], "exp"),
        helper.make_node("Add", ["e", "c"], ["f"], "alone"),
        helper.make_node("Exp", ["f"], ["y"], "exp2"),
    ]
    shape = [1, 4, 4, 4]
    model = model_of(nodes, [value("x", shape)], [value("y", shape)], stores)
    ranges = dict.fromkeys("xabefy", Range(-3, 3))
    assert decide(model, parse("int8_static_all"), ranges).nodes == ("conv", "after")


def test_weights_only_leaves_the_limits_of_a_clip_alone(tmp_path):
    """They are stored floats too, and onnxruntime aborts where they are dequantized."""
    rng = np.random.default_rng(0)
    stores = [stored("w", weights(rng, 4, 3, 3, 3)), stored("low", np.float32(0))]
    stores.append(stored("high", np.float32(6)))
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], "conv", pads=[1, 1, 1, 1]),
        helper.make_node("Clip", ["c", "low", "high"], ["y"], "clip"),
    ]
    shape = [1, 3, 16, 16]
    model = model_of(nodes, [value("x", shape)], [value("y", [1, 4, 16, 16])], stores)
    plan = decide(model, parse("int8_weightonly_all"), {})
    assert plan.nodes == ("conv",)
    expected = outputs(model.SerializeToString(), feeds_of(1)[0])["y"]
    small = to_weight_only(model, plan.nodes, 8)
    assert lowered_operators(small) == {"Conv": 1}
    assert difference(expected, outputs(small.SerializeToString(), feeds_of(1)[0])["y"]) < 0.02


def test_a_weight_that_only_a_branch_reads_stays():
    """onnxruntime refuses a model whose If reads what is gone."""
    branches = [
        helper.make_graph(
            [helper.make_node(operator, ["c", "inner"], ["b"], f"{operator}_node")],
            "branch",
            [],
            [value("b", [1, 4])],
        )
        for operator in ("Add", "Mul")
    ]
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["c"], "product"),
        helper.make_node(
            "If", ["flag"], ["y"], "if", then_branch=branches[0], else_branch=branches[1]
        ),
    ]
    rng = np.random.default_rng(0)
    stores = [stored("w", weights(rng, 32, 4)), stored("inner", np.ones(4, np.float32))]
    inputs = [value("x", [1, 32]), value("flag", [], onnx.TensorProto.BOOL)]
    model = model_of(nodes, inputs, [value("y", [1, 4])], stores)
    feeds = {"x": rng.standard_normal((1, 32)).astype(np.float32), "flag": np.array(True)}
    expected = outputs(model.SerializeToString(), feeds)["y"]
    small = to_weight_only(model, ["product"], 8)
    assert difference(expected, outputs(small.SerializeToString(), feeds)["y"]) < 0.02


def test_nan_weights_are_named(material):
    broken = onnx.ModelProto()
    broken.CopyFrom(material.model)
    tensor = next(t for t in broken.graph.initializer if len(t.dims) == 4)
    values = onnx.numpy_helper.to_array(tensor).copy()
    values.flat[3] = np.nan
    tensor.CopyFrom(onnx.numpy_helper.from_array(values, tensor.name))
    for name in ("int8_static_all_perchannel", "fp16", "int4_weightonly_matmul"):
        with pytest.raises(ModelError, match=f"weight '{tensor.name}' has NaN"):
            make(parse(name), Material(broken, material.task, material.calibration))


@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("shape", [(64, 5), (70, 16), (7, 3)])
def test_blocks_stand_for_weights_within_a_step(bits, shape):
    weight = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    weight[:, 0] = 0
    numbers, scales = blocks(weight, bits)
    if bits == 4:
        numbers = np.stack([numbers & 15, numbers >> 4], axis=-1).reshape(*numbers.shape[:2], -1)
    back = (numbers.astype(int) - (1 << (bits - 1))) * scales[..., None]
    back = back.reshape(shape[1], -1)[:, : shape[0]].T
    step = np.repeat(np.abs(scales), 32, axis=1)[:, : shape[0]].T
    assert (np.abs(back - weight) <= step * 1.001).all()


@pytest.mark.parametrize("transposed", [0, 1])
def test_a_gemm_is_not_forgotten(transposed):
    """onnxruntime's own rewrite to MatMulNBits silently leaves every Gemm."""
    weight = np.random.default_rng(0).standard_normal((64, 8)).astype(np.float32)
    stores = [stored("w", weight.T if transposed else weight), stored("b", np.ones(8, np.float32))]
    node = helper.make_node("Gemm", ["x", "w", "b"], ["y"], "gemm", transB=transposed)
    model = model_of([node], [value("x", [2, 64])], [value("y", [2, 8])], stores)
    feeds = {"x": np.random.default_rng(1).standard_normal((2, 64)).astype(np.float32)}
    expected = outputs(model.SerializeToString(), feeds)["y"]
    small = to_weight_only(model, ["gemm"], 8)
    assert [node.op_type for node in small.graph.node] == ["MatMulNBits", "Add"]
    assert difference(expected, outputs(small.SerializeToString(), feeds)["y"]) < 0.02


def test_a_transformers_embedding_and_integer_inputs_do_not_disturb():
    model, _ = apply_passes(DEFAULT_PASSES, embedding_net(), [{"tokens": np.arange(5)[None]}])
    plan = decide(model, parse("int4_weightonly_matmul"), {})
    assert len(plan.nodes) == 1
    content = to_weight_only(model, plan.nodes, 4).SerializeToString()
    assert inspect(content).integer == {"MatMulNBits": 1}
