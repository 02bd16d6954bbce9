"""Tiny models that are odd: in how they store, name, type or return things. See `zoo`."""

import numpy as np
from networks import model_of, stored, value
from onnx import ModelProto, TensorProto, helper

FLOAT, INT64, INT32, BOOL = (
    TensorProto.FLOAT,
    TensorProto.INT64,
    TensorProto.INT32,
    TensorProto.BOOL,
)
node = helper.make_node


def rng():
    return np.random.default_rng(11)


def floats(*shape, low=-1.0, high=1.0):
    return rng().uniform(low, high, shape).astype(np.float32)


def ints(*values):
    return np.array(values, np.int64)


def unchecked(nodes, inputs, outputs, kept) -> ModelProto:
    graph = helper.make_graph(nodes, "net", inputs, outputs, kept)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def local_function() -> ModelProto:
    """A function of the model's own, called twice."""
    body = [node("MatMul", ["a", "k"], ["m"]), node("Relu", ["m"], ["out"])]
    function = helper.make_function(
        "own", "Dense", ["a", "k"], ["out"], body, [helper.make_opsetid("", 17)]
    )
    nodes = [
        node("Dense", ["x", "w"], ["h"], domain="own"),
        node("Dense", ["h", "w"], ["y"], domain="own"),
    ]
    graph = helper.make_graph(
        nodes, "net", [value("x", [2, 4])], [value("y", [2, 4])], [stored("w", floats(4, 4))]
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    return helper.make_model(graph, opset_imports=opsets, functions=[function], ir_version=9)


def sparse() -> ModelProto:
    """A weight that is stored sparse."""
    values = helper.make_tensor("w", FLOAT, [2], [1.5, -2.0])
    indices = helper.make_tensor("places", INT64, [2], [1, 8])
    model = unchecked([node("MatMul", ["x", "w"], ["y"])], [value("x", [2, 3])],
                       [value("y", [2, 3])], [])  # fmt: skip
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(values, indices, [3, 3]))
    return model


def shared() -> ModelProto:
    """One weight read three ways, nodes without names or with one name, an output in the middle."""
    nodes = [
        node("MatMul", ["x", "w"], ["a"], name="same"),
        node("Relu", ["a"], ["b"], name="same"),
        node("Transpose", ["w"], ["wt"], perm=[1, 0]),
        node("MatMul", ["b", "wt"], ["c"]),
        node("Add", ["c", "w"], ["y"], name="same"),
    ]
    outputs = [value("y", [4, 4]), value("b", [4, 4])]
    return model_of(nodes, [value("x", [4, 4])], outputs, [stored("w", floats(4, 4))])


def odd_outputs() -> ModelProto:
    """Outputs that are an input, a constant, the same value twice, and a scalar."""
    nodes = [
        node("Identity", ["x"], ["copy"]),
        node("Relu", ["x"], ["r"]),
        node("Identity", ["r"], ["once"]),
        node("Identity", ["r"], ["twice"]),
        node("Identity", ["w"], ["fixed"]),
        node("ReduceSum", ["r"], ["total"], keepdims=0),
    ]
    outputs = [value(name, [2, 3]) for name in ("copy", "once", "twice")]
    outputs += [value("fixed", [3]), value("total", [])]
    return model_of(nodes, [value("x", [2, 3])], outputs, [stored("w", floats(3))])


def empty() -> ModelProto:
    """A tensor of no elements joins one of some."""
    nodes = [node("Concat", ["nothing", "x"], ["c"], axis=0), node("Relu", ["c"], ["y"])]
    kept = [stored("nothing", np.zeros((0, 4), np.float32))]
    return model_of(nodes, [value("x", [2, 4])], [value("y", [2, 4])], kept)


def found_sizes() -> ModelProto:
    """Sizes that only values tell: NonZero, Gather, a TopK of a computed count."""
    nodes = [
        node("Relu", ["x"], ["r"]),
        node("NonZero", ["r"], ["places"]),
        node("Transpose", ["places"], ["rows"], perm=[1, 0]),
        node("GatherND", ["r", "rows"], ["y"]),
    ]
    return model_of(nodes, [value("x", [3, 4])], [value("y", ["found"])])


def constant_nodes() -> ModelProto:
    """Constants in every way that Constant writes them."""
    nodes = [
        node("Constant", [], ["f"], value_float=0.5),
        node("Constant", [], ["fs"], value_floats=[1.0, 2.0, 3.0]),
        node("Constant", [], ["axes"], value_ints=[0]),
        node("Mul", ["x", "f"], ["a"]),
        node("Add", ["a", "fs"], ["b"]),
        node("Unsqueeze", ["b", "axes"], ["c"]),
        node("Squeeze", ["c", "axes"], ["y"]),
    ]
    return model_of(nodes, [value("x", [2, 3])], [value("y", [2, 3])])


def quantized() -> ModelProto:
    """Already int8: Q/DQ pairs round a convolution, then a QLinearMatMul."""
    kept = {
        "s": np.float32(0.02), "z": np.uint8(128), "ws": np.float32(0.01), "wz": np.int8(0),
        "w": rng().integers(-90, 90, (4, 3, 3, 3)).astype(np.int8), "shape": ints(1, -1),
        "m": rng().integers(-90, 90, (144, 5)).astype(np.int8),
    }  # fmt: skip
    nodes = [
        node("QuantizeLinear", ["x", "s", "z"], ["xq"]),
        node("DequantizeLinear", ["xq", "s", "z"], ["xd"]),
        node("DequantizeLinear", ["w", "ws", "wz"], ["wd"]),
        node("Conv", ["xd", "wd"], ["c"]),
        node("QuantizeLinear", ["c", "s", "z"], ["cq"]),
        node("Reshape", ["cq", "shape"], ["flat"]),
        node("QLinearMatMul", ["flat", "s", "z", "m", "ws", "wz", "s", "z"], ["yq"]),
        node("DequantizeLinear", ["yq", "s", "z"], ["y"]),
    ]
    tensors = [stored(key, array) for key, array in kept.items()]
    return model_of(nodes, [value("x", [1, 3, 8, 8])], [value("y", [1, 5])], tensors)


def halves() -> ModelProto:
    """float16 in and out, with a float32 island."""
    half = TensorProto.FLOAT16
    nodes = [
        node("MatMul", ["x", "w"], ["m"]),
        node("Cast", ["m"], ["f"], to=FLOAT),
        node("Softmax", ["f"], ["s"], axis=-1),
        node("Cast", ["s"], ["y"], to=half),
    ]
    kept = [stored("w", floats(4, 3).astype(np.float16))]
    return model_of(nodes, [value("x", [2, 4], half)], [value("y", [2, 3], half)], kept)


def doubles() -> ModelProto:
    """float64 through and through."""
    double = TensorProto.DOUBLE
    nodes = [node("Pow", ["x", "two"], ["p"]), node("Add", ["p", "zero"], ["y"])]
    kept = [stored("two", np.float64(2)), stored("zero", np.float64(0))]
    return model_of(nodes, [value("x", [2, 3], double)], [value("y", [2, 3], double)], kept)


def contributed() -> ModelProto:
    """Operators of the runtime's own domain, as its optimizer writes them."""
    nodes = [
        node("FusedMatMul", ["x", "w"], ["m"], domain="com.microsoft", alpha=0.5),
        node("Gelu", ["m"], ["y"], domain="com.microsoft"),
    ]
    graph = helper.make_graph(
        nodes, "net", [value("x", [2, 4])], [value("y", [2, 3])], [stored("w", floats(4, 3))]
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9)


def sequences() -> ModelProto:
    """Tensors in a sequence on the way."""
    nodes = [
        node("SplitToSequence", ["x"], ["parts"], axis=0, keepdims=1),
        node("ConcatFromSequence", ["parts"], ["y"], axis=1),
    ]
    return model_of(nodes, [value("x", [2, 3])], [value("y", [1, 6])])


def random_numbers() -> ModelProto:
    """Noise that differs in every call is no noise here: its scale is tiny."""
    nodes = [
        node("RandomNormalLike", ["x"], ["noise"], scale=1e-30),
        node("Add", ["x", "noise"], ["y"]),
    ]
    return model_of(nodes, [value("x", [2, 3])], [value("y", [2, 3])])


def strings() -> ModelProto:
    """Words in, words and numbers out, and nothing that multiplies."""
    text = TensorProto.STRING
    words = helper.make_tensor("words", text, [3], [b"red", "gr\u00fcn".encode(), b"oak"])
    nodes = [
        node("LabelEncoder", ["x"], ["y"], domain="ai.onnx.ml",
             keys_strings=["red", "gr\u00fcn", "oak"], values_floats=[0.0, 1.0, 2.0]),
        node("Cast", ["y"], ["place"], to=INT64),
        node("Gather", ["words", "place"], ["word"], axis=0),
    ]  # fmt: skip
    outputs = [value("y", ["n"]), value("word", ["n"], text)]
    graph = helper.make_graph(nodes, "net", [value("x", ["n"], text)], outputs, [words])
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 2)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9)
