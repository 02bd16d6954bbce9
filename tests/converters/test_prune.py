import numpy as np
import onnx
import pytest
from edgekit_converters.passes.contract import largest_error
from edgekit_converters.prune import prune
from edgekit_converters.prune.observe import patches
from edgekit_converters.prune.prune import check
from edgekit_converters.prune.reconstruct import Pair, reconstruct
from edgekit_converters.prune.remove import with_initializers, with_zeroed, without_units
from edgekit_converters.prune.rules import RULES
from edgekit_converters.prune.trace import follow
from networks import FLOAT, INT64, conv_net, model_of, stateful_net, stored, value, weights
from onnx import TensorProto, helper, numpy_helper

from edgekit.errors import ModelError

RNG = np.random.default_rng(4)


def feeds_of(model, count=8):
    rng = np.random.default_rng(1)
    shapes = {
        info.name: [dim.dim_value or 1 for dim in info.type.tensor_type.shape.dim]
        for info in model.graph.input
    }
    return [
        {name: rng.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}
        for _ in range(count)
    ]


def groups_of(model, feeds):
    return follow(with_initializers(model), feeds[0], RULES).units.groups()


def without_half(model, feeds):
    """Every other unit of each free group goes; the result, and the one it must equal."""
    whole = with_initializers(model)
    trace = follow(whole, feeds[0], RULES)
    free = [group for group in trace.units.groups() if group.kept_because is None]
    removed = {unit for group in free for unit in group.units[::2] if len(group.units) > 1}
    return without_units(whole, trace, removed), with_zeroed(whole, trace, removed)


def transformer(heads=4, width=32, steps=6, *, packed=False, computed=False, opset=17):
    """x (1, steps, width) → attention and a feed-forward layer, each with a residual."""
    wide = width // heads
    stores = {
        "g": np.ones(width), "z": np.zeros(width), "scale": np.array(wide**-0.5),
        "out": weights(RNG, width, width), "up": weights(RNG, width, 64),
        "up_bias": RNG.standard_normal(64), "down": weights(RNG, 64, width),
    }  # fmt: skip
    nodes = [helper.make_node("LayerNormalization", ["x", "g", "z"], ["n"])]
    if packed:
        stores["qkv"] = weights(RNG, width, 3 * width)
        nodes += packed_heads(steps, heads, wide)
    else:
        stores |= {name: weights(RNG, width, width) for name in ("wq", "wk", "wv")}
        nodes += separate_heads(computed)
    integers = {
        "heads": [1, -1, heads, wide], "joined": [1, -1, width],
        "three": [1, steps, 3, heads, wide], "first": [0],
        "second": [1], "third": [2], "tail": [heads, wide],
    }  # fmt: skip
    nodes += [
        helper.make_node("MatMul", ["q", "kt"], ["qk"]),
        helper.make_node("Mul", ["qk", "scale"], ["scaled"]),
        helper.make_node("Softmax", ["scaled"], ["soft"], axis=-1),
        helper.make_node("MatMul", ["soft", "v"], ["mixed"]),
        helper.make_node("Transpose", ["mixed"], ["back"], perm=[0, 2, 1, 3]),
        helper.make_node("Reshape", ["back", "joined"], ["flat"]),
        helper.make_node("MatMul", ["flat", "out"], ["o"]),
        helper.make_node("Add", ["x", "o"], ["r"]),
        helper.make_node("MatMul", ["r", "up"], ["u"]),
        helper.make_node("Add", ["u", "up_bias"], ["ub"]),
        helper.make_node("Relu", ["ub"], ["a"]),
        helper.make_node("MatMul", ["a", "down"], ["d"]),
        helper.make_node("Add", ["r", "d"], ["y"]),
    ]
    initializers = [stored(name, np.asarray(a, np.float32)) for name, a in stores.items()]
    initializers += [stored(name, np.array(a)) for name, a in integers.items()]
    shape = [1, steps, width]
    return model_of(nodes, [value("x", shape)], [value("y", shape)], initializers, opset)


def separate_heads(computed):
    shape = "heads"
    nodes = []
    if computed:
        shape = "heads_shape"
        nodes = [
            helper.make_node("Shape", ["x"], ["sizes"]),
            helper.make_node("Slice", ["sizes", "first", "third"], ["head"]),
            helper.make_node("Concat", ["head", "tail"], [shape], axis=0),
        ]
    for name in "qkv":
        perm = [0, 2, 3, 1] if name == "k" else [0, 2, 1, 3]
        # torch's newer exporter says allowzero where it computes the shape
        said = {"allowzero": 1} if computed else {}
        nodes += [
            helper.make_node("MatMul", ["n", f"w{name}"], [f"{name}0"]),
            helper.make_node("Reshape", [f"{name}0", shape], [f"{name}1"], **said),
            helper.make_node("Transpose", [f"{name}1"], ["kt" if name == "k" else name], perm=perm),
        ]
    return nodes


def packed_heads(steps, heads, wide):
    nodes = [
        helper.make_node("MatMul", ["n", "qkv"], ["all"]),
        helper.make_node("Reshape", ["all", "three"], ["cut"]),
        helper.make_node("Transpose", ["cut"], ["turned"], perm=[2, 0, 3, 1, 4]),
    ]
    for name, place in (("q", "first"), ("k", "second"), ("v", "third")):
        nodes.append(helper.make_node("Gather", ["turned", place], [f"{name}1"], axis=0))
        nodes.append(helper.make_node("Squeeze", [f"{name}1", "first"], [f"{name}2"]))
    nodes.append(helper.make_node("Transpose", ["k2"], ["kt"], perm=[0, 1, 3, 2]))
    nodes += [helper.make_node("Identity", [f"{name}2"], [name]) for name in "qv"]
    return nodes


@pytest.mark.parametrize(
    "settings", [{}, {"packed": True}, {"computed": True}], ids=["plain", "packed", "computed"]
)
def test_attention_loses_whole_heads_and_the_feed_forward_layer_width(settings):
    model = transformer(**settings)
    feeds = feeds_of(model)
    free = [group for group in groups_of(model, feeds) if group.kept_because is None]
    assert sorted(len(group.units) for group in free) == [4, 64]
    smaller, expected = without_half(model, feeds)
    assert largest_error(expected, smaller, feeds) <= 1e-5
    sizes = {tensor.name: list(tensor.dims) for tensor in smaller.graph.initializer}
    assert sizes["out"] == [16, 32]
    assert (sizes["up"], sizes["up_bias"], sizes["down"]) == ([32, 32], [32], [32, 32])


def test_the_stream_between_transformer_layers_stays():
    model = transformer()
    reasons = {each.name: each.kept_because for each in groups_of(model, feeds_of(model))}
    assert reasons["o"] == "Add 'r' meets it with a tensor that keeps its size"
    assert reasons["d"] == "Add 'y' meets it with a tensor that keeps its size"


def test_a_convolution_network_shrinks_and_says_by_how_much():
    model = conv_net(channels=32)
    feeds = feeds_of(model, 16)
    pruned = prune(model, feeds, 0.4)
    assert 0.4 <= pruned.saved < 0.7
    assert pruned.widths
    assert pruned.left_alone == {"y": "it reaches the output 'y'"}
    assert pruned.model.ByteSize() < 0.8 * model.ByteSize()
    assert largest_error(model, pruned.model, feeds[:1]) < 1


def test_channels_that_nobody_hears_go_and_change_nothing():
    model = conv_net(channels=32)
    feeds = feeds_of(model)
    whole = with_initializers(model)
    trace = follow(whole, feeds[0], RULES)
    first = next(group for group in trace.units.groups() if group.name == "c1")
    deaf = with_zeroed(whole, trace, first.units[3:11])
    pruned = prune(deaf, feeds, 0.05)
    assert pruned.widths == {"c1": (32, 24)}
    assert largest_error(deaf, pruned.model, feeds_of(model, 12)[8:]) <= 1e-6
    expected = without_units(deaf, trace, first.units[3:11])
    kept = {tensor.name: tensor for tensor in expected.graph.initializer}["w1"]
    found = {tensor.name: tensor for tensor in pruned.model.graph.initializer}["w1"]
    assert found == kept


def test_parts_of_a_split_that_are_not_even_stay():
    nodes = [
        helper.make_node("Split", ["c", "sizes"], ["a", "b"], axis=1),
        helper.make_node("Conv", ["a", "w2"], ["z"]),
        helper.make_node("Conv", ["b", "w3"], ["z2"]),
        helper.make_node("Add", ["z", "z2"], ["y"]),
    ]
    stores = [
        stored("sizes", np.array([4, 12])),
        stored("w2", weights(RNG, 2, 4, 1, 1)),
        stored("w3", weights(RNG, 2, 12, 1, 1)),
    ]
    model = one_layer_and(*nodes, initializers=stores, output="y", shape=[1, 2, 4, 4])
    assert "Split 'a' cuts it into uneven parts" in reasons_for(model)


def test_least_squares_bring_the_outputs_closer():
    """Two channels that say the same: one goes, the other takes over what it said."""
    model = conv_net(channels=16)
    arrays = {t.name: numpy_helper.to_array(t).copy() for t in model.graph.initializer}
    arrays["w1"][8:], arrays["b1"][8:] = arrays["w1"][:8], arrays["b1"][:8]
    for tensor in model.graph.initializer:
        tensor.CopyFrom(numpy_helper.from_array(arrays[tensor.name], tensor.name))
    feeds = feeds_of(model, 32)
    whole = with_initializers(model)
    trace = follow(whole, feeds[0], RULES)
    first = next(group for group in trace.units.groups() if group.name == "c1")
    removed = first.units[8:]
    mended = without_units(whole, trace, removed)
    before = largest_error(model, mended, feeds[24:])
    (fit,) = reconstruct(Pair(whole, mended, trace, removed), feeds[:24], seed=0)
    assert fit.layer == "c2"
    assert fit.after < fit.before / 10
    assert largest_error(model, mended, feeds[24:]) < before / 3


def test_the_same_seed_gives_the_same_bytes():
    model = conv_net(channels=32)
    feeds = feeds_of(model)
    made = [prune(model, feeds, 0.3).model.SerializeToString(deterministic=True) for _ in range(2)]
    assert made[0] == made[1]


@pytest.mark.parametrize("opset", [11, 17])
def test_a_split_gets_the_sizes_that_are_left(opset):
    sizes = {"split": [8, 8]} if opset < 13 else {}
    inputs = ["c", "sizes"] if opset >= 13 else ["c"]
    nodes = [
        helper.make_node("Conv", ["x", "w1"], ["c"]),
        helper.make_node("Split", inputs, ["a", "b"], axis=1, **sizes),
        helper.make_node("Sigmoid", ["b"], ["s"]),
        helper.make_node("Mul", ["a", "s"], ["m"]),
        helper.make_node("Conv", ["m", "w2"], ["y"]),
    ]
    initializers = [stored("w1", weights(RNG, 16, 3, 1, 1)), stored("w2", weights(RNG, 4, 8, 1, 1))]
    initializers += [stored("sizes", np.array([8, 8]))] if opset >= 13 else []
    x, y = value("x", [1, 3, 5, 5]), value("y", [1, 4, 5, 5])
    model = model_of(nodes, [x], [y], initializers, opset)
    feeds = feeds_of(model)
    smaller, expected = without_half(model, feeds)
    assert largest_error(expected, smaller, feeds) <= 1e-5
    assert {tuple(t.dims) for t in smaller.graph.initializer} >= {(8, 3, 1, 1), (4, 4, 1, 1)}


def test_transposed_convolutions_shrink_at_both_ends():
    nodes = [
        helper.make_node("ConvTranspose", ["x", "w1", "b"], ["c"], strides=[2, 2]),
        helper.make_node("InstanceNormalization", ["c", "one", "b"], ["n"]),
        helper.make_node("ConvTranspose", ["n", "w2"], ["y"]),
    ]
    initializers = [
        stored("w1", weights(RNG, 3, 16, 2, 2)), stored("b", weights(RNG, 16)),
        stored("one", np.ones(16, np.float32)), stored("w2", weights(RNG, 16, 2, 3, 3)),
    ]  # fmt: skip
    x, y = value("x", [1, 3, 5, 5]), value("y", [1, 2, 12, 12])
    model = model_of(nodes, [x], [y], initializers)
    feeds = feeds_of(model)
    smaller, expected = without_half(model, feeds)
    assert largest_error(expected, smaller, feeds) <= 1e-5
    assert prune(model, feeds, 0.3).widths == {"c": (16, 8)}


def reasons_for(model):
    groups = groups_of(model, feeds_of(model))
    return " ".join(filter(None, (group.kept_because for group in groups)))


def one_layer_and(*nodes, initializers=(), output="z", shape=None):
    first = helper.make_node("Conv", ["x", "w"], ["c"])
    stores = [stored("w", weights(RNG, 16, 3, 1, 1)), *initializers]
    return model_of([first, *nodes], [value("x", [1, 3, 4, 4])], [value(output, shape)], stores)


def test_what_is_not_understood_is_left_alone_with_the_reason():
    unknown = helper.make_node("DepthToSpace", ["c"], ["z"], blocksize=2)
    model = one_layer_and(unknown, shape=[1, 4, 8, 8])
    assert reasons_for(model) == "DepthToSpace 'z' is not understood"
    with pytest.raises(ModelError, match="no channel can go: DepthToSpace 'z' is not understood"):
        prune(model, feeds_of(model), 0.2)


def test_channels_that_an_inner_graph_reads_are_left_alone():
    inner = helper.make_graph(
        [helper.make_node("Relu", ["c"], ["r"])], "inner", [], [value("r", [1, 16, 4, 4])]
    )
    node = helper.make_node("If", ["yes"], ["z"], then_branch=inner, else_branch=inner)
    yes = helper.make_tensor("yes", TensorProto.BOOL, [], [True])
    model = one_layer_and(node, initializers=[yes], shape=[1, 16, 4, 4])
    assert reasons_for(model) == "If 'z' is not understood"


@pytest.mark.parametrize(
    ("node", "stores", "reason"),
    [
        (helper.make_node("Softmax", ["c"], ["z"], axis=1), [], "looks across it"),
        (helper.make_node("ReduceMean", ["c"], ["z"], axes=[1]), [], "looks across it"),
        (
            helper.make_node("Slice", ["c", "start", "stop", "axis"], ["z"]),
            [stored("start", np.array([2])), stored("stop", np.array([9])),
             stored("axis", np.array([1]))],
            "changes its size",
        ),
        (
            helper.make_node("Pad", ["c", "pads"], ["z"]),
            [stored("pads", np.array([0, 1, 0, 0, 0, 0, 0, 0]))],
            "changes its size",
        ),
        (
            helper.make_node("Add", ["c", "x1"], ["z"]),
            [],
            "meets it with a tensor that keeps its size",
        ),
        (
            helper.make_node("Gather", ["c", "one"], ["z"], axis=1),
            [stored("one", np.array(1))],
            "picks from it",
        ),
    ],
    ids=lambda each: getattr(each, "op_type", ""),
)  # fmt: skip
def test_operators_that_look_across_channels_keep_them(node, stores, reason):
    """Behind each a layer that would take fewer channels."""
    widen = helper.make_node("Concat", ["x"] * 5 + ["x0"], ["x1"], axis=1)
    first = helper.make_node("Slice", ["x", "zero", "one_", "axis_"], ["x0"])
    more = [stored("zero", np.array([0])), stored("one_", np.array([1])),
            stored("axis_", np.array([1]))]  # fmt: skip
    flat = helper.make_node("ReduceSum", ["z"], ["y"], keepdims=0)
    model = one_layer_and(
        first, widen, node, flat, initializers=[*stores, *more], output="y", shape=[]
    )
    assert reason in reasons_for(model)


def test_a_shared_weight_that_keeps_its_size_keeps_its_channels():
    nodes = [
        helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node("Conv", ["x", "w"], ["again"]),
        helper.make_node("Add", ["r", "again"], ["z"]),
    ]
    assert "reaches the output" in reasons_for(one_layer_and(*nodes, shape=[1, 16, 4, 4]))


def test_a_model_without_layers_has_nothing_to_lose():
    model = stateful_net()
    with pytest.raises(ModelError, match="no channel can go: it reaches the output 'y'"):
        prune(model, feeds_of(model), 0.5)
    relu = model_of(
        [helper.make_node("Relu", ["x"], ["y"])], [value("x", [1, 2])], [value("y", [1, 2])]
    )
    with pytest.raises(ModelError, match="no layer is wider than 8 channels"):
        prune(relu, feeds_of(relu), 0.5)


def test_narrow_layers_are_left_alone():
    model = conv_net(channels=8)
    with pytest.raises(ModelError, match="no channel can go"):
        prune(model, feeds_of(model), 0.5)


def test_a_result_that_is_another_function_is_refused():
    feeds = feeds_of(conv_net())
    with pytest.raises(ModelError, match="differs by"):
        check(conv_net(seed=1), conv_net(), feeds)


def test_a_result_that_does_not_run_is_refused():
    broken = conv_net()
    del broken.graph.initializer[0]
    with pytest.raises(ModelError, match="does not run"):
        check(broken, conv_net(), feeds_of(conv_net()))


def test_integer_inputs_and_embeddings_do_not_disturb():
    table = stored("table", weights(RNG, 20, 16))
    nodes = [
        helper.make_node("Gather", ["table", "tokens"], ["e"]),
        helper.make_node("MatMul", ["e", "up"], ["u"]),
        helper.make_node("Relu", ["u"], ["r"]),
        helper.make_node("MatMul", ["r", "down"], ["y"]),
    ]
    stores = [table, stored("up", weights(RNG, 16, 32)), stored("down", weights(RNG, 32, 4))]
    tokens = helper.make_tensor_value_info("tokens", INT64, [1, 5])
    out = helper.make_tensor_value_info("y", FLOAT, [1, 5, 4])
    model = model_of(nodes, [tokens], [out], stores)
    rng = np.random.default_rng(2)
    feeds = [{"tokens": rng.integers(0, 20, (1, 5))} for _ in range(8)]
    pruned = prune(model, feeds, 0.3)
    assert set(pruned.widths) == {"u"}
    onnx.checker.check_model(pruned.model, full_check=True)


def test_a_convolution_that_sees_no_row_has_windows_of_the_same_width():
    node = helper.make_node("Conv", ["x", "w"], ["y"], pads=[1, 1, 1, 1])
    source, output = np.zeros((0, 3, 8, 8), np.float32), np.zeros((0, 16, 8, 8), np.float32)
    assert patches(node, source, output, (3, 3), np.zeros(0, np.int64)).shape == (0, 27)
