"""A table of what operations cost, and its sum over a model: for targets that nothing here can run.

Rates come from small graphs in onnxruntime on this machine, once for each CPU and version, and are
kept in the cache. A sum of rates knows the work of each operator, its kind and whether it computes
in int8; it does not know caches, fusion, or the target.
"""

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec
import onnx
from msgspec import Struct
from onnx import ModelProto, NodeProto

from edgekit.measure.environment import local_environment
from edgekit.selftest import cache_folder
from edgekit_converters.graph import attribute, constants, copy_of

Class: TypeAlias = Literal[
    "pointwise", "window", "depthwise", "product", "recurrent", "elementwise", "curve", "move",
    "convert",
]  # fmt: skip
CURVES = frozenset({
    "Sigmoid", "Tanh", "Softmax", "LogSoftmax", "Erf", "Gelu", "Exp", "Log", "Pow", "Sqrt", "Sin",
    "Cos", "Softplus", "Elu", "HardSigmoid", "HardSwish", "LayerNormalization",
})  # fmt: skip
MOVES = frozenset({
    "Transpose", "Concat", "Slice", "Split", "Gather", "Pad", "Resize", "Expand", "Tile", "MaxPool",
    "AveragePool", "GlobalAveragePool", "DepthToSpace", "SpaceToDepth",
})  # fmt: skip
FREE = frozenset({
    "Constant", "Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Shape", "Dropout",
})  # fmt: skip
CONVERSIONS = frozenset({"QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "Cast"})
PRODUCTS = frozenset({"MatMul", "Gemm", "MatMulInteger", "MatMulNBits"})
RECURRENT = frozenset({"LSTM", "GRU", "RNN", "DynamicQuantizeLSTM"})
FILE = "operations.json"


class Table(Struct, frozen=True):
    """What operations cost on the machine that measured them.

    Attributes:
        rates: nanoseconds for a multiplication or an element, by class and precision
            (`"pointwise int8"`).
        node_us: of an operator that does next to nothing.
        samples: how often each rate was measured.
        about: the CPU and the runtime they belong to.
    """

    rates: dict[str, float]
    node_us: float
    samples: int
    about: str

    def total_us(self, content: bytes, shapes: Mapping[str, Sequence[int]]) -> float:
        """The sum over a model's operators.

        Args:
            content: an .onnx file.
            shapes: of the inputs of one call, by name.
        """
        work = Work(ModelProto.FromString(content), shapes)
        return sum(self.cost_us(work, node) for node in work.graph.node)

    def cost_us(self, work: "Work", node: NodeProto) -> float:
        """Of one operator."""
        kind = class_of(node, work)
        if kind is None:
            return 0.0
        precision = "int8" if work.is_int8(node) else "fp32"
        rate = self.rates.get(f"{kind} {precision}", self.rates[f"{kind} fp32"])
        return self.node_us + work.amount(node) * rate / 1e3


def class_of(node: NodeProto, work: "Work") -> Class | None:
    """What kind of work an operator does; None where it costs nothing."""
    name = node.op_type
    if name in FREE or (name in CONVERSIONS and work.is_absorbed(node)):
        return None
    if name in ("Conv", "ConvTranspose", "ConvInteger"):
        return work.convolution(node)
    plain: Mapping[Class, frozenset[str]] = {
        "product": PRODUCTS, "recurrent": RECURRENT, "convert": CONVERSIONS, "curve": CURVES,
        "move": MOVES,
    }  # fmt: skip
    return next((kind for kind, names in plain.items() if name in names), "elementwise")


@dataclass(frozen=True)
class Work:
    """How much each operator of a model has to do."""

    model: ModelProto
    shapes: Mapping[str, Sequence[int]]

    @cached_property
    def graph(self) -> onnx.GraphProto:
        """With shapes, as far as they can be inferred from the inputs'."""
        fixed = copy_of(self.model)
        for value in fixed.graph.input:
            shape = value.type.tensor_type.shape
            for size, known in zip(shape.dim, self.shapes.get(value.name, ()), strict=False):
                size.dim_value = known
        return onnx.shape_inference.infer_shapes(fixed, data_prop=True).graph

    @cached_property
    def _sizes(self) -> dict[str, list[int]]:
        graph = self.graph
        found = {
            value.name: [max(size.dim_value, 1) for size in value.type.tensor_type.shape.dim]
            for value in (*graph.input, *graph.value_info, *graph.output)
        }
        found |= {name: list(tensor.dims) for name, tensor in constants(graph).items()}
        for node in graph.node:  # a weight behind DequantizeLinear has the stored one's shape
            if node.op_type == "DequantizeLinear" and node.input[0] in found:
                found.setdefault(node.output[0], found[node.input[0]])
        return found

    @cached_property
    def _makers(self) -> dict[str, str]:
        return {name: node.op_type for node in self.graph.node for name in node.output}

    @cached_property
    def _readers(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for node in self.graph.node:
            for name in node.input:
                found.setdefault(name, []).append(node.op_type)
        return found

    def is_int8(self, node: NodeProto) -> bool:
        """Whether it computes on integers: it says so, or stands between Q and DQ."""
        name = node.op_type
        if name.endswith("Integer") or name.startswith("QLinear") or name == "DynamicQuantizeLSTM":
            return True
        read = [self._makers.get(name) for name in node.input[:1]]
        written = [reader for name in node.output for reader in self._readers.get(name, [])]
        return read == ["DequantizeLinear"] and bool(written) and set(written) <= {"QuantizeLinear"}

    def is_absorbed(self, node: NodeProto) -> bool:
        """Whether a conversion vanishes: of a weight, or between two operators in int8."""
        if node.op_type not in ("QuantizeLinear", "DequantizeLinear"):
            return False
        if node.input[0] in constants(self.graph):
            return True
        makers, readers = self._makers, self._readers
        neighbour = makers.get(node.input[0])
        if node.op_type == "DequantizeLinear":
            after = readers.get(node.output[0], [])
            return neighbour == "QuantizeLinear" and not set(after) & (CURVES | CONVERSIONS)
        return neighbour in PRODUCTS | {"Conv", "ConvTranspose"}

    def convolution(self, node: NodeProto) -> Class:
        """Its kind: by its weight's shape and groups."""
        weight = self._sizes.get(node.input[1], [])
        if attribute(node, "group", 1) > 1 and weight[1:2] == [1]:
            return "depthwise"
        return "pointwise" if all(size == 1 for size in weight[2:]) else "window"

    def amount(self, node: NodeProto) -> float:
        """Multiplications where there are weights, else elements."""
        written = math.prod(self._sizes.get(node.output[0], [1])) if node.output else 1
        weight = self._sizes.get(node.input[1], [1]) if len(node.input) > 1 else [1]
        if "Conv" in node.op_type:
            return float(written * math.prod(weight[1:]))
        if node.op_type in PRODUCTS:
            read = self._sizes.get(node.input[0], [1])
            return float(written * (read[-1] if read else 1))
        if node.op_type in RECURRENT:
            steps = self._sizes.get(node.input[0], [1])[0]
            return float(steps * 2 * math.prod(weight))
        return float(written)


def measured_table() -> Table:
    """The table of this machine: from the cache, or measured now.

    Raises:
        StorageError: the cache cannot be written.
    """
    here = local_environment()
    about = f"{here.cpu or here.arch}, onnxruntime {here.versions.get('onnxruntime', 'unknown')}"
    digest = hashlib.sha256(f"{about} {' '.join(here.cpu_features)}".encode()).hexdigest()[:16]
    path = cache_folder() / "operations" / f"{digest}.json"
    for kept in _read(path):
        return kept
    from edgekit_converters.costs.rates import NODE, SAMPLES, measure_rates

    rates = measure_rates()
    node_us = rates.pop(NODE) / 1e3
    table = Table(rates, node_us, SAMPLES, about)
    _write(path, table)
    return table


def _read(path: Path) -> Iterator[Table]:
    """The kept table; a file that is damaged counts as none."""
    try:
        yield msgspec.json.decode(path.read_bytes(), type=Table)
    except (OSError, msgspec.DecodeError):
        return


def _write(path: Path, table: Table) -> None:
    """Keep it where that is possible; it is made again where not."""
    from edgekit.measure.devices.lock import write_atomically

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, msgspec.json.format(msgspec.json.encode(table)))
    except OSError:
        return
