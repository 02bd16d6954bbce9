"""A small convolutional network of a known number of equal layers, and proof that it computes."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from edgekit.engines import open_engine

LAYERS = 20
"""About a millisecond on one core; two more are 10 % more work, four more 20 %."""

CHANNELS, SIZE = 16, 32
SHAPE = (1, CHANNELS, SIZE, SIZE)

Floats = npt.NDArray[np.float32]


def write_network(path: Path, layers: int) -> Path:
    """Save the network of this many layers; check what onnxruntime makes of it against NumPy.

    Raises:
        SystemExit: the outputs differ.
    """
    onnx.save(network(layers), path)
    x = sample(0)
    engine = open_engine("onnxruntime", path)
    found = engine.run({"x": x})["y"]
    engine.close()
    if not np.allclose(found, reference(x, layers), rtol=1e-3, atol=1e-4):
        raise SystemExit(f"{path.name} does not compute what it should; nothing was timed")
    return path


def network(layers: int) -> onnx.ModelProto:
    """x → `layers` times (3 × 3 convolution, ReLU) → y, all of one shape."""
    names = ["x", *(f"r{i}" for i in range(1, layers)), "y"]
    nodes = []
    for i in range(layers):
        nodes += [
            helper.make_node("Conv", [names[i], f"w{i}"], [f"c{i}"], pads=[1, 1, 1, 1]),
            helper.make_node("Relu", [f"c{i}"], [names[i + 1]]),
        ]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, SHAPE) for name in "xy"]
    weights = [numpy_helper.from_array(weight(i), f"w{i}") for i in range(layers)]
    graph = helper.make_graph(nodes, "layers", ends[:1], ends[1:], weights)
    opset = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opset, ir_version=9)


def weight(layer: int) -> Floats:
    """Of one layer: seeded, scaled so that values neither vanish nor grow."""
    random = np.random.default_rng(layer)
    scale = np.sqrt(2 / (CHANNELS * 9))
    drawn = random.standard_normal((CHANNELS, CHANNELS, 3, 3)) * scale
    return drawn.astype(np.float32)


def sample(seed: int) -> Floats:
    """One seeded input."""
    return np.random.default_rng(seed).standard_normal(SHAPE).astype(np.float32)


def reference(x: Floats, layers: int) -> Floats:
    """The network in NumPy."""
    for layer in range(layers):
        padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
        x = np.maximum(np.einsum("nchwij,ocij->nohw", windows, weight(layer)), 0)
    return x
