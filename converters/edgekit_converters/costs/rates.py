"""Rates of operations on this machine, from small graphs whose work is known."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from edgekit.engines import Array, open_engine

SAMPLES = 15
CHAIN = 4
"""Equal operators one after the other, so that the graph's ends weigh less."""
NODE = "node"
ELEMENTS = (1, 64, 32, 32)
SCALE, ZERO = "scale", "zero"


def measure_rates() -> dict[str, float]:
    """Nanoseconds for a multiplication or an element of each class and precision."""
    channels, side = 64, 32
    area = side * side
    graphs: dict[str, tuple[ModelProto, float]] = {}
    for precision in ("fp32", "int8"):
        for name, kernel, groups in (
            ("pointwise", 1, 1), ("window", 3, 1), ("depthwise", 3, channels),
        ):  # fmt: skip
            work = area * channels * (channels // groups) * kernel * kernel
            graphs[f"{name} {precision}"] = _convolutions(precision, kernel, groups), work
        graphs[f"product {precision}"] = _products(precision), 64 * 256 * 256
        graphs[f"recurrent {precision}"] = _recurrent(precision), 16 * 4 * 2 * 128 * 128 / CHAIN
    elements = float(np.prod(ELEMENTS))
    graphs["elementwise fp32"] = _chain([("Add", ["c"], {})] * CHAIN), elements
    graphs["curve fp32"] = _chain([("Sigmoid", [], {})] * CHAIN), elements
    graphs["move fp32"] = _chain([("Transpose", [], {"perm": [0, 1, 3, 2]})] * CHAIN), elements
    graphs["convert fp32"] = _conversions(), elements / 2
    found = {key: _ns(model) / CHAIN / work for key, (model, work) in graphs.items()}
    return found | {NODE: _ns(_chain([("Abs", [], {})] * CHAIN, shape=(1,))) / CHAIN}


def _ns(model: ModelProto) -> float:
    """The least time of a few calls."""
    engine = open_engine("onnxruntime", model.SerializeToString())
    rng = np.random.default_rng(0)
    feeds: dict[str, Array] = {
        each.name: rng.standard_normal([int(size) for size in each.shape]).astype(np.float32)
        for each in engine.inputs
    }
    times = []
    try:
        for _ in range(SAMPLES + 3):
            started = time.thread_time_ns()
            engine.run(feeds)
            times.append(time.thread_time_ns() - started)
    finally:
        engine.close()
    return float(min(times))


def _model(
    nodes: Sequence[NodeProto], shape: Sequence[int], stored: Sequence[TensorProto], kind: int = 1
) -> ModelProto:
    ends = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, shape),
        helper.make_tensor_value_info("y", kind, None),
    ]
    graph = helper.make_graph(list(nodes), "rate", ends[:1], ends[1:], list(stored))
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9)


def _stored(name: str, array: Array) -> TensorProto:
    return numpy_helper.from_array(array, name)


def _quantization() -> list[TensorProto]:
    return [_stored(SCALE, np.array(0.05, np.float32)), _stored(ZERO, np.array(128, np.uint8))]


def _weighted(
    precision: str, weight: Array, make: Callable[[str, str, str], NodeProto], shape: Sequence[int]
) -> ModelProto:
    """A chain of one weighted operator, in QDQ form where it is int8."""
    if precision == "fp32":
        names = ["x", *(f"h{i}" for i in range(1, CHAIN)), "y"]
        nodes = [make(names[i], "w", names[i + 1]) for i in range(CHAIN)]
        return _model(nodes, shape, [_stored("w", weight)])
    nodes = [helper.make_node("QuantizeLinear", ["x", SCALE, ZERO], ["q0"])]
    for i in range(CHAIN):
        nodes += [
            helper.make_node("DequantizeLinear", [f"q{i}", SCALE, ZERO], [f"d{i}"]),
            helper.make_node("DequantizeLinear", ["w", "weight scale"], [f"w{i}"]),
            make(f"d{i}", f"w{i}", f"h{i}"),
            helper.make_node("QuantizeLinear", [f"h{i}", SCALE, ZERO], [f"q{i + 1}"]),
        ]
    nodes.append(helper.make_node("DequantizeLinear", [f"q{CHAIN}", SCALE, ZERO], ["y"]))
    limited = np.clip(np.round(weight * 127), -127, 127).astype(np.int8)
    stored = [
        _stored("w", limited),
        _stored("weight scale", np.array(0.01, np.float32)),
        *_quantization(),
    ]
    return _model(nodes, shape, stored)


def _random(*shape: int) -> Array:
    drawn: Array = np.random.default_rng(1).standard_normal(shape) / np.sqrt(np.prod(shape[1:]))
    return drawn.astype(np.float32)


def _convolutions(precision: str, kernel: int, groups: int) -> ModelProto:
    channels = ELEMENTS[1]
    weight = _random(channels, channels // groups, kernel, kernel)

    def make(source: str, weight_name: str, target: str) -> NodeProto:
        return helper.make_node(
            "Conv", [source, weight_name], [target], group=groups, pads=[kernel // 2] * 4
        )

    return _weighted(precision, weight, make, ELEMENTS)


def _products(precision: str) -> ModelProto:
    def make(source: str, weight_name: str, target: str) -> NodeProto:
        return helper.make_node("MatMul", [source, weight_name], [target])

    return _weighted(precision, _random(256, 256), make, (64, 256))


def _recurrent(precision: str) -> ModelProto:
    size, steps = 128, 16
    weights = {"w": _random(1, 4 * size, size), "r": _random(1, 4 * size, size)}
    node = helper.make_node("LSTM", ["x", "w", "r"], ["y"], hidden_size=size)
    if precision == "fp32":
        stored = [_stored(name, weight) for name, weight in weights.items()]
        return _model([node], (steps, 1, size), stored)
    stored = []
    for name, weight in weights.items():
        turned = np.ascontiguousarray(weight.transpose(0, 2, 1))
        limited = np.clip(np.round(turned * 300), -127, 127).astype(np.int8)
        stored += [
            _stored(name, limited),
            _stored(f"{name} scale", np.full(1, 1 / 300, np.float32)),
        ]
        stored.append(_stored(f"{name} zero", np.zeros(1, np.int8)))
    absent = [""] * 5  # bias, lengths, states, peepholes
    ends = [f"{name} {what}" for name in weights for what in ("scale", "zero")]
    node = helper.make_node(
        "DynamicQuantizeLSTM", ["x", "w", "r", *absent, *ends], ["y"],
        domain="com.microsoft", hidden_size=size,
    )  # fmt: skip
    return _model([node], (steps, 1, size), stored)


def _chain(
    operators: Sequence[tuple[str, list[str], dict[str, Any]]],
    shape: Sequence[int] = ELEMENTS,
) -> ModelProto:
    names = ["x", *(f"h{i}" for i in range(1, len(operators))), "y"]
    nodes = [
        helper.make_node(operator, [names[i], *more], [names[i + 1]], **settings)
        for i, (operator, more, settings) in enumerate(operators)
    ]
    return _model(nodes, shape, [_stored("c", _random(*shape))])


def _conversions() -> ModelProto:
    """Quantize, turn so that nothing cancels, dequantize: half of the chain is conversion."""
    nodes = []
    names = ["x", "h", "y"]
    for i in range(2):
        nodes += [
            helper.make_node("QuantizeLinear", [names[i], SCALE, ZERO], [f"q{i}"]),
            helper.make_node("Neg", [f"d{i}"], [names[i + 1]]),
        ]
        nodes.insert(-1, helper.make_node("DequantizeLinear", [f"q{i}", SCALE, ZERO], [f"d{i}"]))
    return _model(nodes, ELEMENTS, _quantization())
