"""Small networks with real weights, for the converter's tests."""

import numpy as np
import onnx
from onnx import ModelProto, TensorProto, helper, numpy_helper

from edgekit.engines import open_engine
from edgekit.task import Task, load_task

FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64


def value(name, shape, kind=FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def stored(name, array):
    return numpy_helper.from_array(np.asarray(array), name)


def model_of(nodes, inputs, outputs, initializers=(), opset=17, ir_version=9) -> ModelProto:
    graph = helper.make_graph(nodes, "net", inputs, outputs, list(initializers))
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir_version
    )
    onnx.checker.check_model(model)
    return model


def weights(rng, *shape):
    scale = np.sqrt(2 / np.prod(shape[1:]))
    return (rng.standard_normal(shape) * scale).astype(np.float32)


def conv_net(seed=0, channels=16, size=16, opset=17) -> ModelProto:
    """x (batch, 3, size, size) → two convolutions, a mean and a Gemm: y (batch, 4)."""
    rng = np.random.default_rng(seed)
    initializers = [
        stored("w1", weights(rng, channels, 3, 3, 3)),
        stored("b1", np.zeros(channels, np.float32)),
        stored("w2", weights(rng, channels, channels, 3, 3)),
        stored("b2", np.full(channels, 0.1, np.float32)),
        stored("w3", weights(rng, channels, 4)),
        stored("b3", np.zeros(4, np.float32)),
    ]
    nodes = [
        helper.make_node("Conv", ["x", "w1", "b1"], ["c1"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c1"], ["r1"]),
        helper.make_node("Conv", ["r1", "w2", "b2"], ["c2"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c2"], ["r2"]),
        helper.make_node("GlobalAveragePool", ["r2"], ["g"]),
        helper.make_node("Flatten", ["g"], ["f"]),
        helper.make_node("Gemm", ["f", "w3", "b3"], ["y"]),
    ]
    x, y = value("x", ["batch", 3, size, size]), value("y", ["batch", 4])
    return model_of(nodes, [x], [y], initializers, opset)


def embedding_net() -> ModelProto:
    """tokens int64 (1, 5) → embedding, MatMul, Softmax: y (1, 5, 4), and their sum."""
    rng = np.random.default_rng(3)
    initializers = [stored("table", weights(rng, 20, 8)), stored("w", weights(rng, 8, 4))]
    nodes = [
        helper.make_node("Gather", ["table", "tokens"], ["embedded"]),
        helper.make_node("MatMul", ["embedded", "w"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["y"], axis=-1),
        helper.make_node("Cast", ["tokens"], ["as_float"], to=FLOAT),
    ]
    outputs = [value("y", [1, 5, 4]), value("as_float", [1, 5])]
    return model_of(nodes, [value("tokens", [1, 5], INT64)], outputs, initializers)


def stateful_net() -> ModelProto:
    """x (1, 4) and state (1, 4) → state + x times a weight: y (1, 4), new_state (1, 4)."""
    rng = np.random.default_rng(5)
    nodes = [
        helper.make_node("Add", ["x", "state"], ["new_state"]),
        helper.make_node("MatMul", ["new_state", "w"], ["y"]),
    ]
    shape = [1, 4]
    inputs = [value("x", shape), value("state", shape)]
    outputs = [value("y", shape), value("new_state", shape)]
    return model_of(nodes, inputs, outputs, [stored("w", weights(rng, 4, 4))])


TASK = """\
import numpy as np

def samples(split):
    rng = np.random.default_rng(["calibration", "evaluation"].index(split))
    for number in range({samples}):
        image = rng.standard_normal((3, 16, 16)).astype(np.float32)
        yield image, number % 4, f"group{{number // 2}}"

def predict(run, input):
    return int(run({{"x": input[None]}})["y"].argmax())

def score(predictions, labels):
    return float(np.mean([p in (0, 1, 2, 3) for p in predictions]))
"""


def task_text(samples=12) -> str:
    """A task for `conv_net` on which every model is right."""
    return TASK.format(samples=samples)


STATEFUL = """
def samples(split):
    for number in range(6):
        yield np.full((1, 4), float(number), np.float32), 0, str(number)

def predict(run, input):
    state = np.zeros((1, 4), np.float32)
    for _ in range(5):
        state = run({"x": input, "state": state})["new_state"]
    return float(state.max())
"""

HEAD = "import numpy as np\n"
SCORE = "def score(predictions, labels):\n    return 1.0\n"


def task_of(tmp_path, body) -> Task:
    """A task of these samples and predict, whose score is 1."""
    path = tmp_path / "a_task.py"
    path.write_text(HEAD + body + SCORE)
    return load_task(path)


def outputs(content, feeds) -> dict[str, np.ndarray]:
    """What a model file answers."""
    engine = open_engine("onnxruntime", content)
    try:
        return engine.run(feeds)
    finally:
        engine.close()


def tflite_double() -> bytes:
    """A .tflite with one ADD: x (1, 4) float32 → x + x: y (1, 4)."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model, graph = schema.ModelT(), schema.SubGraphT()
    code, operator = schema.OperatorCodeT(), schema.OperatorT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.ADD
    code.version = 1
    operator.opcodeIndex, operator.inputs, operator.outputs = 0, [0, 0], [1]
    operator.builtinOptionsType = schema.BuiltinOptions.AddOptions
    operator.builtinOptions = schema.AddOptionsT()
    graph.tensors, graph.operators = [], [operator]
    for name in ("x", "y"):
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.buffer = name, [1, 4], 0
        tensor.type = schema.TensorType.FLOAT32
        graph.tensors.append(tensor)
    graph.inputs, graph.outputs = [0], [1]
    model.version, model.operatorCodes, model.subgraphs = 3, [code], [graph]
    model.buffers = [schema.BufferT()]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
