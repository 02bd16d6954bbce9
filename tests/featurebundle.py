"""A bundle with audio features and a model whose arithmetic is integer: exact on every machine."""

import io

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from edgekit.bundle import write_bundle
from edgekit.manifest import Feature, LogMelSpec, Manifest, Tensor

FRAMES, BINS, CLASSES = 48, 40, 12

GOLDEN = b"""{"schema": 1, "cases": [
    {"input": "golden/0.npy", "features": {}, "outputs": {}, "rtol": 0.0, "atol": 0.0}
]}"""


def integer_model():
    """features (1, 48, 40) → quantized → one matrix product in int8 → scores int32 (1, 12)."""
    random = np.random.default_rng(0)
    weight = random.integers(-127, 128, (FRAMES * BINS, CLASSES), dtype=np.int8)
    constants = {
        "scale": np.float32(0.1),
        "zero": np.uint8(128),
        "shape": np.array([1, FRAMES * BINS], np.int64),
        "weight": weight,
        "weight_zero": np.int8(0),
    }
    nodes = [
        helper.make_node("QuantizeLinear", ["features", "scale", "zero"], ["quantized"]),
        helper.make_node("Reshape", ["quantized", "shape"], ["flat"]),
        helper.make_node("MatMulInteger", ["flat", "weight", "zero", "weight_zero"], ["scores"]),
    ]
    graph = helper.make_graph(
        nodes,
        "integer",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, [1, FRAMES, BINS])],
        [helper.make_tensor_value_info("scores", TensorProto.INT32, [1, CLASSES])],
        [numpy_helper.from_array(np.asarray(v), name) for name, v in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def audio(seed=0):
    """Int16 samples that give 48 frames: noise under a tone."""
    random = np.random.default_rng(seed)
    time_s = np.arange(400 + (FRAMES - 1) * 160) / 16_000
    tone = 8_000 * np.sin(2 * np.pi * 440 * time_s)
    return (tone + random.normal(0, 500, time_s.size)).astype(np.int16)


def write_feature_bundle(path):
    """Write it, with one golden raw input."""
    spec = LogMelSpec(preset="kaldi", num_mel_bins=BINS)
    manifest = Manifest(
        schema=1, name="features", version="1.0", target="host", engine="onnxruntime",
        recipe="fp32", model="model.onnx",
        inputs=(Tensor("features", "float32", (1, FRAMES, BINS)),),
        outputs=(Tensor("scores", "int32", (1, CLASSES)),),
        features=(Feature("features", spec),),
    )  # fmt: skip
    files = {
        "model.onnx": integer_model().SerializeToString(),
        "golden/golden.json": GOLDEN,
        "golden/0.npy": npy(audio()),
    }
    write_bundle(path, manifest, files)


def npy(array):
    """The bytes of a .npy file."""
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()
