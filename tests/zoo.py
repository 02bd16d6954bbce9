"""Tiny models of every kind that exporters write; `ZOO` has a maker for each, by name.

A maker returns a model and the dtype and sizes of open axes do the rest: see `zoo_feeds`.
"""

import numpy as np
from networks import model_of, stored, value
from oddmodels import (
    BOOL,
    FLOAT,
    INT32,
    INT64,
    constant_nodes,
    contributed,
    doubles,
    empty,
    floats,
    found_sizes,
    halves,
    ints,
    local_function,
    node,
    odd_outputs,
    quantized,
    random_numbers,
    sequences,
    shared,
    sparse,
    unchecked,
)
from onnx import ModelProto, helper


def transformer() -> ModelProto:
    """One block: embedding, attention with a mask, layer norm and GELU from parts; two inputs."""
    kept = {
        "table": floats(20, 8), "wq": floats(8, 8), "wk": floats(8, 8), "wv": floats(8, 8),
        "w1": floats(8, 16), "b1": floats(16), "w2": floats(16, 8), "gain": floats(8),
        "shift": floats(8), "one": np.float32(1), "root": np.float32(8**0.5),
        "far": np.float32(-3.4e38), "eps": np.float32(1e-5), "two": np.float32(2),
        "half": np.float32(0.5), "root2": np.float32(2**0.5), "last": ints(-1), "axis1": ints(1),
    }  # fmt: skip
    nodes = [
        node("Gather", ["table", "ids"], ["e"]),
        node("MatMul", ["e", "wq"], ["q"]),
        node("MatMul", ["e", "wk"], ["k"]),
        node("MatMul", ["e", "wv"], ["v"]),
        node("Transpose", ["k"], ["kt"], perm=[0, 2, 1]),
        node("MatMul", ["q", "kt"], ["qk"]),
        node("Div", ["qk", "root"], ["scaled"]),
        node("Cast", ["mask"], ["seen"], to=FLOAT),
        node("Sub", ["one", "seen"], ["unseen"]),
        node("Mul", ["unseen", "far"], ["bias"]),
        node("Unsqueeze", ["bias", "axis1"], ["bias3"]),
        node("Add", ["scaled", "bias3"], ["biased"]),
        node("Softmax", ["biased"], ["share"], axis=-1),
        node("MatMul", ["share", "v"], ["mixed"]),
        node("Add", ["mixed", "e"], ["r"]),
        node("ReduceMean", ["r"], ["mean"], axes=[-1]),
        node("Sub", ["r", "mean"], ["d"]),
        node("Pow", ["d", "two"], ["d2"]),
        node("ReduceMean", ["d2"], ["var"], axes=[-1]),
        node("Add", ["var", "eps"], ["var_e"]),
        node("Sqrt", ["var_e"], ["std"]),
        node("Div", ["d", "std"], ["n"]),
        node("Mul", ["n", "gain"], ["ng"]),
        node("Add", ["ng", "shift"], ["ln"]),
        node("MatMul", ["ln", "w1"], ["h"]),
        node("Add", ["h", "b1"], ["hb"]),
        node("Div", ["hb", "root2"], ["hr"]),
        node("Erf", ["hr"], ["he"]),
        node("Add", ["he", "one"], ["h1"]),
        node("Mul", ["hb", "h1"], ["hm"]),
        node("Mul", ["hm", "half"], ["g"]),
        node("MatMul", ["g", "w2"], ["y"]),
    ]
    shape = ["batch", "tokens"]
    inputs = [value("ids", shape, INT64), value("mask", shape, INT64)]
    tensors = [stored(key, array) for key, array in kept.items()]
    return model_of(nodes, inputs, [value("y", [*shape, 8])], tensors)


def recurrent(operator="LSTM") -> ModelProto:
    """x (time, batch, 4) and a state taken apart with Gather → a recurrent layer and its state."""
    gates = 4 if operator == "LSTM" else 3
    kept = [
        stored("w", floats(1, gates * 5, 4)), stored("r", floats(1, gates * 5, 5)),
        stored("b", floats(1, 2 * gates * 5)), stored("zero", np.array(0)), stored("a0", ints(0)),
    ]  # fmt: skip
    nodes = [
        node("Gather", ["state", "zero"], ["h0"], axis=0),
        node("Unsqueeze", ["h0", "a0"], ["h"]),
    ]
    states = ["", "h", "h"] if operator == "LSTM" else ["", "h"]
    made = ["all", "last", "cell"] if operator == "LSTM" else ["all", "last"]
    nodes += [
        node(operator, ["x", "w", "r", "b", *states], made, hidden_size=5),
        node("Squeeze", ["all", "axis1"], ["y"]),
    ]
    kept.append(stored("axis1", ints(1)))
    inputs = [value("x", ["time", "batch", 4]), value("state", [2, "batch", 5])]
    outputs = [value("y", ["time", "batch", 5]), value("last", [1, "batch", 5])]
    return model_of(nodes, inputs, outputs, kept, opset=14)


def branches() -> ModelProto:
    """An If on a size and one on an input, both of which read tensors from outside."""

    def branch(name, operator, sources):
        body = [node(operator, sources, [name])]
        return helper.make_graph(body, name, [], [value(name, None)])

    nodes = [
        node("Relu", ["x"], ["r"]),
        node("Shape", ["x"], ["s"]),
        node("Gather", ["s", "zero"], ["n"]),
        node("Equal", ["n", "two"], ["is_two"]),
        node(
            "If", ["is_two"], ["a"],
            then_branch=branch("p", "Add", ["r", "w"]), else_branch=branch("q", "Mul", ["r", "w"]),
        ),
        node(
            "If", ["flag"], ["y"],
            then_branch=branch("t", "Neg", ["a"]), else_branch=branch("u", "Identity", ["r"]),
        ),
    ]  # fmt: skip
    kept = [stored("zero", np.array(0)), stored("two", np.array(2)), stored("w", floats(3))]
    inputs = [value("x", ["n", 3]), value("flag", [], BOOL)]
    return unchecked(nodes, inputs, [value("y", ["n", 3])], kept)


def loop() -> ModelProto:
    """A Loop that carries a state, reads a weight from outside and collects every turn."""
    body = helper.make_graph(
        [
            node("Identity", ["go"], ["go_on"]),
            node("MatMul", ["v", "w"], ["u"]),
            node("Tanh", ["u"], ["v_next"]),
            node("Identity", ["v_next"], ["seen"]),
        ],
        "body",
        [value("i", [], INT64), value("go", [], BOOL), value("v", [1, 3])],
        [value("go_on", [], BOOL), value("v_next", [1, 3]), value("seen", [1, 3])],
    )
    nodes = [node("Loop", ["turns", "", "x"], ["y", "every"], body=body)]
    kept = [stored("turns", np.array(4)), stored("w", floats(3, 3))]
    outputs = [value("y", [1, 3]), value("every", [4, 1, 3])]
    return model_of(nodes, [value("x", [1, 3])], outputs, kept)


def scan() -> ModelProto:
    """A Scan over time: a running sum."""
    body = helper.make_graph(
        [node("Add", ["sum", "x_t"], ["sum_next"]), node("Identity", ["sum_next"], ["y_t"])],
        "body",
        [value("sum", [3]), value("x_t", [3])],
        [value("sum_next", [3]), value("y_t", [3])],
    )
    nodes = [node("Scan", ["start", "x"], ["end", "y"], body=body, num_scan_inputs=1)]
    outputs = [value("end", [3]), value("y", ["time", 3])]
    inputs = [value("x", ["time", 3])]
    return model_of(nodes, inputs, outputs, [stored("start", np.zeros(3, np.float32))])


def integers() -> ModelProto:
    """int32, int64 and bool inputs, chosen between, and an integer output."""
    nodes = [
        node("Cast", ["a"], ["a64"], to=INT64),
        node("Where", ["c", "a64", "b"], ["i"]),
        node("Cast", ["i"], ["f"], to=FLOAT),
        node("Mul", ["f", "w"], ["y"]),
    ]
    inputs = [value("a", [2, 3], INT32), value("b", [2, 3], INT64), value("c", [2, 3], BOOL)]
    outputs = [value("y", [2, 3]), value("i", [2, 3], INT64)]
    return model_of(nodes, inputs, outputs, [stored("w", np.float32([0.5]))])


def old_cnn(opset=9, ir_version=3) -> ModelProto:
    """Opset 9 as exporters wrote it: weights listed as inputs, batch norm, no names, Upsample."""
    kept = {
        "w": floats(4, 3, 3, 3), "s": floats(4, low=0.5), "b": floats(4), "m": floats(4),
        "v": floats(4, low=0.5), "scales": np.float32([1, 1, 2, 2]), "dw": floats(4, 1, 3, 3),
    }  # fmt: skip
    nodes = [
        node("Conv", ["x", "w"], ["c"], pads=[1, 1, 1, 1]),
        node("BatchNormalization", ["c", "s", "b", "m", "v"], ["n"]),
        node("Clip", ["n"], ["r"], min=0.0, max=6.0),
        node("Conv", ["r", "dw"], ["d"], group=4),
        node("Upsample", ["d", "scales"], ["u"], mode="nearest"),
        node("Dropout", ["u"], ["o"], ratio=0.5),
        node("ReduceMean", ["o"], ["g"], axes=[2, 3], keepdims=0),
        node("Softmax", ["g"], ["y"]),
    ]
    inputs = [value("x", [1, 3, 8, 8])]
    inputs += [value(key, list(array.shape)) for key, array in kept.items()]
    tensors = [stored(key, array) for key, array in kept.items()]
    return model_of(nodes, inputs, [value("y", [1, 4])], tensors, opset, ir_version)


def new_cnn() -> ModelProto:
    """Opset 22: HardSwish, GroupNormalization, Gelu, Resize, depthwise and 1-D convolutions."""
    kept = [
        stored("w", floats(8, 3, 3, 3)), stored("dw", floats(8, 1, 3, 3)), stored("g", floats(8)),
        stored("b", floats(8)), stored("sizes", ints(1, 8, 6, 6)), stored("s", ints(1, 8, 36)),
        stored("w1", floats(2, 8, 5)),
    ]  # fmt: skip
    nodes = [
        node("Conv", ["x", "w"], ["c"], strides=[2, 2]),
        node("HardSwish", ["c"], ["h"]),
        node("Conv", ["h", "dw"], ["d"], group=8, pads=[1, 1, 1, 1]),
        node("GroupNormalization", ["d", "g", "b"], ["n"], num_groups=2),
        node("Gelu", ["n"], ["a"], approximate="tanh"),
        node("Resize", ["a", "", "", "sizes"], ["r"], mode="nearest"),
        node("Reshape", ["r", "s"], ["f"]),
        node("Conv", ["f", "w1"], ["y"], pads=[2, 2]),
    ]
    x, y = value("x", [1, 3, 9, 9]), value("y", [1, 2, 36])
    return model_of(nodes, [x], [y], kept, opset=22, ir_version=10)


def volumes() -> ModelProto:
    """A 3-D and a transposed convolution, and pooling with its indices."""
    kept = [stored("w3", floats(2, 1, 2, 2, 2)), stored("wt", floats(6, 3, 2, 2))]
    kept.append(stored("s", ints(1, 6, 5, 5)))
    nodes = [
        node("Conv", ["x", "w3"], ["c"]),
        node("Reshape", ["c", "s"], ["r"]),
        node("ConvTranspose", ["r", "wt"], ["t"], strides=[2, 2]),
        node("MaxPool", ["t"], ["y", "places"], kernel_shape=[2, 2], strides=[2, 2]),
    ]
    outputs = [value("y", [1, 3, 5, 5]), value("places", [1, 3, 5, 5], INT64)]
    return model_of(nodes, [value("x", [1, 1, 4, 6, 6])], outputs, kept)


def audio() -> ModelProto:
    """A short-time transform as a convolution, its magnitude, and convolutions over time."""
    kept = [
        stored("basis", floats(34, 1, 32)), stored("pads", ints(0, 0, 0, 8)),
        stored("a1", ints(1)), stored("b0", ints(0)), stored("b1", ints(17)),
        stored("b2", ints(34)), stored("two", np.float32(2)), stored("w", floats(8, 17, 3)),
        stored("w2", floats(1, 8, 3)),
    ]  # fmt: skip
    nodes = [
        node("Pad", ["x", "pads"], ["p"], mode="reflect"),
        node("Unsqueeze", ["p", "a1"], ["u"]),
        node("Conv", ["u", "basis"], ["c"], strides=[16]),
        node("Slice", ["c", "b0", "b1", "a1"], ["re"]),
        node("Slice", ["c", "b1", "b2", "a1"], ["im"]),
        node("Pow", ["re", "two"], ["re2"]),
        node("Pow", ["im", "two"], ["im2"]),
        node("Add", ["re2", "im2"], ["e"]),
        node("Sqrt", ["e"], ["mag"]),
        node("Conv", ["mag", "w"], ["h"], pads=[1, 1]),
        node("Relu", ["h"], ["r"]),
        node("Conv", ["r", "w2"], ["o"], pads=[1, 1]),
        node("Squeeze", ["o", "a1"], ["y"]),
    ]
    return model_of(nodes, [value("x", ["n", 2008])], [value("y", ["n", 125])], kept)


def channels_last() -> ModelProto:
    """As converters from TensorFlow write it: transposes round every convolution."""
    to, back = [0, 3, 1, 2], [0, 2, 3, 1]
    kept = [stored("w", floats(8, 2, 3, 3)), stored("v", floats(1, 8, 3, 3))]
    kept += [stored("g", floats(8)), stored("one", np.float32([2.0]))]
    nodes = [
        node("Transpose", ["x"], ["a"], perm=to),
        node("Conv", ["a", "w"], ["b"], pads=[1, 1, 1, 1]),
        node("Transpose", ["b"], ["c"], perm=back),
        node("Mul", ["c", "g"], ["d"]),
        node("Relu", ["d"], ["e"]),
        node("Transpose", ["e"], ["f"], perm=to),
        node("Conv", ["f", "v"], ["h"], pads=[1, 1, 1, 1]),
        node("Transpose", ["h"], ["i"], perm=back),
        node("Mul", ["i", "one"], ["y"]),
    ]
    return model_of(nodes, [value("x", ["n", 12, 10, 2])], [value("y", ["n", 12, 10, 1])], kept)


ZOO = {
    maker.__name__: maker
    for maker in (
        transformer, recurrent, branches, loop, scan, integers, old_cnn, new_cnn, volumes,
        local_function, sparse, shared, odd_outputs, empty, found_sizes, constant_nodes, quantized,
        halves, doubles, contributed, sequences, audio, channels_last, random_numbers,
    )
}  # fmt: skip
ZOO |= {
    "gru": lambda: recurrent("GRU"),
    "opset_11": lambda: old_cnn_without_upsample(11),
    "opset_7": lambda: old_cnn_without_upsample(7),
}


def old_cnn_without_upsample(opset) -> ModelProto:
    """A plain one of an opset that has no Upsample of tensors."""
    kept = [stored("w", floats(4, 3, 3, 3)), stored("m", floats(4, 2))]
    nodes = [
        node("Conv", ["x", "w"], ["c"], pads=[1, 1, 1, 1]),
        node("Relu", ["c"], ["r"]),
        node("GlobalAveragePool", ["r"], ["g"]),
        node("Flatten", ["g"], ["f"]),
        node("MatMul", ["f", "m"], ["y"]),
    ]
    x, y = value("x", ["n", 3, 8, 8]), value("y", ["n", 2])
    return model_of(nodes, [x], [y], kept, opset, ir_version=4)


def zoo_feeds(model, count=3, size=2, seed=5):
    """Inputs of a model; open sizes are `size`."""
    rows = np.random.default_rng(seed)
    kept = {tensor.name for tensor in model.graph.initializer}
    feeds = []
    for _ in range(count):
        feed = {}
        for each in model.graph.input:
            if each.name in kept:
                continue
            kind = each.type.tensor_type.elem_type
            dtype = helper.tensor_dtype_to_np_dtype(kind)
            shape = [dim.dim_value or size for dim in each.type.tensor_type.shape.dim]
            drawn = rows.integers(0, 2, shape) if dtype.kind in "iub" else rows.normal(size=shape)
            feed[each.name] = np.asarray(drawn).astype(dtype)
        feeds.append(feed)
    return feeds
