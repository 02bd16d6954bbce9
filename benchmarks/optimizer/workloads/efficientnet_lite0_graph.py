"""Build EfficientNet-Lite0 as ONNX from its legacy torch checkpoint, without torch."""

import collections
import pickle
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET, IR_VERSION = 17, 9
BATCH_NORM_EPSILON = 1e-3
IMAGE_SIZE_PX = 224
STORAGE_DTYPES: dict[str, np.dtype[Any]] = {
    "FloatStorage": np.dtype("<f4"),
    "LongStorage": np.dtype("<i8"),
}
# repeats, stride, expansion, input channels, output channels
STAGES = (
    (1, 1, 1, 32, 16),
    (2, 2, 6, 16, 24),
    (2, 2, 6, 24, 40),
    (3, 2, 6, 40, 80),
    (3, 1, 6, 80, 112),
    (4, 2, 6, 112, 192),
    (1, 1, 6, 192, 320),
)
Weights = dict[str, np.ndarray]


class CheckpointUnpickler(pickle.Unpickler):
    """Reads only what a state dict holds: any other class is refused."""

    def find_class(self, module: str, name: str) -> Any:
        if name == "_rebuild_tensor_v2":
            return lambda storage, offset, size, stride, *_: (storage, offset, size, stride)
        if name == "OrderedDict":
            return collections.OrderedDict
        if name in STORAGE_DTYPES:
            return name
        raise pickle.UnpicklingError(f"checkpoint names {module}.{name}, which is not a tensor")

    def persistent_load(self, pid: Any) -> Any:
        return pid


def read_checkpoint(path: Path) -> Weights:
    """Tensors of a .pth file in the format torch wrote before version 1.6."""
    with path.open("rb") as file:
        for _ in range(3):  # magic number, protocol version, system information
            CheckpointUnpickler(file).load()
        entries = CheckpointUnpickler(file).load()
        keys = CheckpointUnpickler(file).load()
        dtypes = {storage[2]: STORAGE_DTYPES[storage[1]] for storage, *_ in entries.values()}
        storages = {key: read_storage(file, dtypes[key]) for key in keys}
    return {
        name: as_tensor(storages[storage[2]], offset, size, stride)
        for name, (storage, offset, size, stride) in entries.items()
    }


def read_storage(file: BinaryIO, dtype: np.dtype) -> np.ndarray:
    (count,) = struct.unpack("<q", file.read(8))
    return np.frombuffer(file.read(count * dtype.itemsize), dtype)


def as_tensor(storage: np.ndarray, offset: int, size: Any, stride: Any) -> np.ndarray:
    stride_bytes = [step * storage.itemsize for step in stride]
    return np.lib.stride_tricks.as_strided(storage[offset:], size, stride_bytes).copy()


@dataclass
class GraphBuilder:
    """Appends layers to an ONNX graph; batch norm is folded into each convolution."""

    weights: Weights
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    initializers: list[onnx.TensorProto] = field(default_factory=list)
    size_px: int = IMAGE_SIZE_PX

    def constant(self, name: str, array: np.ndarray) -> str:
        contiguous = np.array(array, np.float32, order="C")
        self.initializers.append(numpy_helper.from_array(contiguous, name))
        return name

    def node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [output], output, **attributes))
        return output

    def conv(
        self,
        source: str,
        layer: str,
        norm: str,
        stride: int = 1,
        relu6: bool = True,
        groups: int = 1,
    ) -> str:
        weight, bias = self.folded(layer, norm)
        kernel = weight.shape[-1]
        output_px = -(-self.size_px // stride)
        padding = max((output_px - 1) * stride + kernel - self.size_px, 0)  # as TensorFlow's SAME
        before, after = padding // 2, padding - padding // 2
        self.size_px = output_px
        output = self.node(
            "Conv",
            [source, self.constant(f"{layer}.w", weight), self.constant(f"{layer}.b", bias)],
            layer,
            kernel_shape=[kernel, kernel],
            strides=[stride, stride],
            pads=[before, before, after, after],
            group=groups,
        )
        return self.node("Clip", [output, "zero", "six"], f"{layer}.relu6") if relu6 else output

    def folded(self, layer: str, norm: str) -> tuple[np.ndarray, np.ndarray]:
        scale, shift, mean, variance = (
            self.weights[f"{norm}.{part}"]
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        factor = scale / np.sqrt(variance + BATCH_NORM_EPSILON)
        return self.weights[f"{layer}.weight"] * factor[:, None, None, None], shift - mean * factor

    def block(
        self, source: str, prefix: str, stride: int, expansion: int, channels: tuple[int, int]
    ) -> str:
        """Inverted residual: expand, depthwise, project, add."""
        inputs, outputs = channels
        hidden = source
        if expansion != 1:
            hidden = self.conv(hidden, f"{prefix}._expand_conv", f"{prefix}._bn0")
        hidden = self.conv(
            hidden, f"{prefix}._depthwise_conv", f"{prefix}._bn1", stride, groups=inputs * expansion
        )
        hidden = self.conv(hidden, f"{prefix}._project_conv", f"{prefix}._bn2", relu6=False)
        if stride == 1 and inputs == outputs:
            hidden = self.node("Add", [hidden, source], f"{prefix}.add")
        return hidden


def build(checkpoint: Path) -> onnx.ModelProto:
    """float32 'input' [N, 3, 224, 224] to 'logits' [N, 1000]."""
    builder = GraphBuilder(read_checkpoint(checkpoint))
    builder.constant("zero", np.array(0))
    builder.constant("six", np.array(6))
    hidden = builder.conv("input", "_conv_stem", "_bn0", stride=2)
    index = 0
    for repeats, stride, expansion, inputs, outputs in STAGES:
        for repeat in range(repeats):
            channels = (outputs if repeat else inputs, outputs)
            block_stride = 1 if repeat else stride
            hidden = builder.block(hidden, f"_blocks.{index}", block_stride, expansion, channels)
            index += 1
    hidden = builder.conv(hidden, "_conv_head", "_bn1")
    hidden = builder.node("GlobalAveragePool", [hidden], "pooled")
    hidden = builder.node("Flatten", [hidden], "features", axis=1)
    weight = builder.constant("_fc.w", builder.weights["_fc.weight"])
    bias = builder.constant("_fc.b", builder.weights["_fc.bias"])
    builder.node("Gemm", [hidden, weight, bias], "logits", transB=1)
    return as_model(builder)


def as_model(builder: GraphBuilder) -> onnx.ModelProto:
    shape: list[str | int | None] = ["N", 3, IMAGE_SIZE_PX, IMAGE_SIZE_PX]
    graph = helper.make_graph(
        builder.nodes,
        "efficientnet_lite0",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", 1000])],
        builder.initializers,
    )
    opsets = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
    onnx.checker.check_model(model)
    return model
