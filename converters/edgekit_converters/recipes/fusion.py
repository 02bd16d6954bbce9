"""What onnxruntime makes of a graph when it loads it: which operators run fused, which are left."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from onnx import ModelProto, NodeProto

from edgekit.engines import first_line
from edgekit.errors import ModelError
from edgekit_converters.rewritten import rewritten

WHOLE = frozenset(
    {
        "BiasGelu", "BiasSoftmax", "BiasSplitGelu", "EmbedLayerNormalization", "FastGelu", "Gelu",
        "HardSwish", "LayerNormalization", "QuickGelu",
        "SimplifiedLayerNormalization", "SkipLayerNormalization",
        "SkipSimplifiedLayerNormalization",
    }
)  # fmt: skip
"""Float operators that stand for several of the exported graph."""
INTEGER = frozenset(
    {
        "ConvInteger", "DynamicQuantizeLSTM", "DynamicQuantizeMatMul", "MatMulInteger",
        "MatMulIntegerToFloat", "MatMulNBits", "QAttention", "QGemm",
    }
)  # fmt: skip
CONVERSIONS = ("QuantizeLinear", "DequantizeLinear")
ARITHMETIC = frozenset(
    {
        "Conv", "ConvTranspose", "FusedConv", "FusedGemm", "FusedMatMul", "Gemm", "MatMul",
        "LSTM", "GRU",
    }
)  # fmt: skip
"""Float operators that multiply and add."""


@dataclass(frozen=True)
class Fused:
    """How a candidate really runs.

    Attributes:
        integer: how many operators of each type compute on integers.
        conversions: QuantizeLinear and DequantizeLinear that are left; the model's own quantized
            inputs and outputs need a few.
        unfused: arithmetic that was to be int8 and runs in float between conversions: output
            tensor to operator type.
    """

    integer: Mapping[str, int]
    conversions: int
    unfused: Mapping[str, str]


def optimized(content: bytes) -> ModelProto:
    """The graph as onnxruntime runs it, but for the layouts of one CPU.

    Raises:
        ModelError: onnxruntime does not load it.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.log_severity_level = 3
    try:
        return rewritten(content, options)
    except Exception as error:  # onnxruntime's own errors share no base class but this
        problem = f"onnxruntime does not load it: {first_line(error)}"
        raise ModelError("the rewritten model", problem, "this recipe is not for it") from error


def inspect(content: bytes) -> Fused:
    """Count what fused in a quantized model and name what did not.

    Raises:
        ModelError: onnxruntime does not load it.
    """
    loaded = optimized(content)
    types = Counter(node.op_type for node in loaded.graph.node)
    dequantized = {
        name
        for node in loaded.graph.node
        if node.op_type == "DequantizeLinear"
        for name in node.output
    }
    unfused = {
        node.output[0]: node.op_type
        for node in loaded.graph.node
        if node.op_type in ARITHMETIC and dequantized.intersection(node.input[:2])
    }
    integer = {
        name: count
        for name, count in sorted(types.items())
        if name in INTEGER or name.startswith("QLinear")
    }
    return Fused(integer, sum(types[name] for name in CONVERSIONS), unfused)


def fused_regions(model: ModelProto) -> tuple[frozenset[str], ...]:
    """Names of the nodes that onnxruntime computes as one float operator, for each such one.

    Raises:
        ModelError: onnxruntime does not load the model.
    """
    makers = {name: node for node in model.graph.node for name in node.output if name}
    regions = []
    for node in optimized(model.SerializeToString()).graph.node:
        if node.op_type in WHOLE and node.output[0] in makers:
            regions.append(_region(node, makers))
    return tuple(regions)


def _region(fused: NodeProto, makers: Mapping[str, NodeProto]) -> frozenset[str]:
    """Nodes of the exported graph between a fused operator's inputs and outputs."""
    given = set(fused.input)
    waiting = [name for name in fused.output if name in makers]
    found: set[str] = set()
    while waiting:
        node = makers[waiting.pop()]
        if node.name not in found:
            found.add(node.name)
            waiting += [name for name in node.input if name in makers and name not in given]
            if node.op_type in ARITHMETIC:  # the names do not tell where the region ends
                return frozenset()
    return frozenset(found)
