"""Where int8 loses: each layer's own error, the error that has accumulated, and whose fault it is.

Own errors are measured in one graph: beside each layer stands a copy with rounded weights, one with
a rounded input and one with both, all fed by the float model, and only sums of squares leave the
runtime. Accumulated errors compare the candidate's tensors with the float model's, a batch of them
at a time. Everything runs on the few feeds that calibration kept.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper

from edgekit.engines import Array, open_engine
from edgekit_converters.calibration.histogram import Histogram
from edgekit_converters.calibration.observe import plan_batches, resident_bytes
from edgekit_converters.calibration.ranges import LEVELS
from edgekit_converters.graph import attribute, constants
from edgekit_converters.recipes.grid import Weights, channel_axis
from edgekit_converters.recipes.make import Made, Material
from edgekit_converters.recipes.placement import FUSED_AFTER, WEIGHTED
from edgekit_converters.recipes.recipe import Recipe
from edgekit_converters.sensitivity.closeness import compare, decibels
from edgekit_converters.sensitivity.copies import Copies, weighted

QUANTIZED_LSTM, CONTRIB = "DynamicQuantizeLSTM", "com.microsoft"
ROUNDED = "_DequantizeLinear_Output"
"""onnxruntime's quantizer appends it to the name of a tensor that it rounds."""


@dataclass(frozen=True)
class TensorFacts:
    """What calibration saw of a tensor.

    Attributes:
        low: the least value.
        high: the greatest.
        percentiles: at 0.1, 1, 50, 99 and 99.9 %.
        outlier_ratio: the greatest magnitude over that of the 1 % and 99 % percentiles.
        zero_share: share of exact zeros.
    """

    name: str
    low: float
    high: float
    percentiles: tuple[float, float, float, float, float]
    outlier_ratio: float
    zero_share: float


@dataclass(frozen=True)
class LayerError:
    """How a layer takes int8. All in dB of signal over noise: 20 dB is an error of a tenth.

    Attributes:
        index: among the weighted nodes of the clean model: what `Recipe.keep` counts.
        node: its name.
        operator: its type.
        tensor: the output that is compared.
        own_db: with its own weights and input rounded, fed by the float model.
        weights_db: with its weights rounded only; None where it multiplies two activations.
        activations_db: with its inputs rounded only.
        accumulated_db: in the whole candidate; None where the candidate has no such tensor.
        is_quantized: whether the candidate computes it in int8.
        is_depthwise: whether each channel is filtered for itself.
        channel_spread: the largest channel's reach over the smallest's, of the stored weight.
        input: what calibration saw of its first input.
        output: what calibration saw of its output.
    """

    index: int
    node: str
    operator: str
    tensor: str
    own_db: float
    weights_db: float | None
    activations_db: float
    accumulated_db: float | None
    is_quantized: bool
    is_depthwise: bool
    channel_spread: float | None
    input: TensorFacts | None
    output: TensorFacts | None


@dataclass(frozen=True)
class Sensitivity:
    """What a candidate's layers lose.

    Attributes:
        recipe: whose.
        layers: weighted nodes in graph order; those whose errors could not be measured are missing.
        outputs_db: signal over noise of each floating-point output.
        unfused: arithmetic meant for int8 that the runtime computes in float, by output tensor.
    """

    recipe: Recipe
    layers: tuple[LayerError, ...]
    outputs_db: Mapping[str, float]
    unfused: Mapping[str, str]

    @property
    def ranked(self) -> tuple[LayerError, ...]:
        """Quantized layers, the one with the largest error of its own first."""
        quantized = (layer for layer in self.layers if layer.is_quantized)
        return tuple(sorted(quantized, key=lambda layer: (layer.own_db, layer.index)))


def analyse(
    recipe: Recipe,
    material: Material,
    made: Made,
    progress: Callable[[int], None] | None = None,
) -> Sensitivity:
    """Measure a candidate's layers on the feeds that calibration kept.

    Args:
        recipe: int8 of any scheme; for other precisions only accumulated errors mean anything.
        material: that the candidate was made from.
        made: the candidate.
        progress: called with the number of feeds done.

    Raises:
        ModelError: a model does not load or run, or the memory cap is too small.
    """
    ranges = material.ranges(recipe.ranges, LEVELS[recipe.activation])
    copies = Copies(material.model, ranges, recipe)
    _add_recurrent(copies, material.model, made.content)
    own = _own_errors(copies, material.calibration.feeds, progress)
    pairs = _compared(material.model, made.content)
    tensors = {node: pair[0] for node, pair in pairs.items()}
    accumulated = _accumulated(material, made.content, pairs)
    facts = {name: facts_of(name, each) for name, each in material.histograms.items()}
    quantized = _quantized(made.content)
    layers = []
    for index, node in enumerate(weighted(material.model)):
        if node.name in own:
            layers.append(
                LayerError(
                    index=index,
                    node=node.name,
                    operator=node.op_type,
                    tensor=tensors.get(node.name, node.output[0]),
                    **own[node.name],
                    accumulated_db=accumulated.get(tensors.get(node.name, "")),
                    is_quantized=node.name in quantized,
                    **_weight_facts(node, copies.weights),
                    input=facts.get(node.input[0]),
                    output=facts.get(node.output[0]),
                )
            )
    outputs = {output.name for output in material.model.graph.output}
    return Sensitivity(
        recipe,
        tuple(layers),
        {name: db for name, db in accumulated.items() if name in outputs},
        made.fused.unfused,
    )


def _add_recurrent(copies: Copies, model: ModelProto, content: bytes) -> None:
    """The LSTMs that the candidate computes in int8, each beside its float one and fed as that."""
    candidate = ModelProto.FromString(content)
    made = {node.name: node for node in candidate.graph.node if node.op_type == QUANTIZED_LSTM}
    stored = constants(candidate.graph)
    for node in weighted(model):
        twin = made.get(f"{node.name}_quant")
        if twin is not None:
            copies.add_recurrent(node, twin, stored)
    domains = {entry.domain for entry in copies.model.opset_import}
    if made and CONTRIB not in domains:
        copies.model.opset_import.append(helper.make_opsetid(CONTRIB, 1))


def facts_of(name: str, histogram: Histogram) -> TensorFacts:
    """What a histogram says of a tensor."""
    shares = (0.001, 0.01, 0.5, 0.99, 0.999)
    low, first, middle, last, high = (histogram.quantile(share) for share in shares)
    usual = max(abs(first), abs(last))
    reach = max(abs(histogram.low), abs(histogram.high))
    is_zero = (histogram.lows == 0) & (histogram.highs == 0)
    return TensorFacts(
        name,
        histogram.low,
        histogram.high,
        (low, first, middle, last, high),
        reach / usual if usual else 1.0,
        float(histogram.counts[is_zero].sum() / max(histogram.total, 1)),
    )


def _own_errors(
    copies: Copies,
    feeds: Sequence[Mapping[str, Array]],
    progress: Callable[[int], None] | None,
) -> dict[str, dict[str, Any]]:
    if not copies.layers:
        return {}
    engine = open_engine("onnxruntime", copies.model.SerializeToString())
    sums: dict[str, float] = {}
    try:
        for number, each in enumerate(feeds, 1):
            for name, value in engine.run(each).items():
                sums[name] = sums.get(name, 0.0) + float(value)
            if progress is not None:
                progress(number)
    finally:
        engine.close()
    found = {}
    for name, kinds in copies.layers.items():
        errors: dict[str, Any] = {f"{kind}_db": None for kind in copies.KINDS}
        for kind in kinds:
            signal, noise = sums[f"{name}/signal"], sums[f"{name}/{kind}/noise"]
            errors[f"{kind}_db"] = decibels(signal, noise)
        found[name] = errors
    return found


def _compared(model: ModelProto, content: bytes) -> dict[str, tuple[str, str]]:
    """The tensors by which a layer is compared, in the clean model and in the candidate.

    Its output, or that of the Relu it merged with; in the candidate as it is after rounding, which
    is also where a merged Relu cuts.
    """
    candidate = ModelProto.FromString(content)
    known = {name for node in candidate.graph.node for name in node.output}
    readers: dict[str, list[NodeProto]] = {}
    for node in model.graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    found = {}
    for node in weighted(model):
        name = next(filter(None, node.output))  # an LSTM may leave out its first ones
        after = [each for each in readers.get(name, []) if each.op_type in FUSED_AFTER]
        if name not in known and after:
            name = after[0].output[0]
        if name in known:
            rounded = name + ROUNDED
            found[node.name] = (name, rounded if rounded in known else name)
    return found


def _accumulated(
    material: Material, content: bytes, pairs: Mapping[str, tuple[str, str]]
) -> dict[str, float]:
    """Signal over noise of tensors of the clean model, its floating-point outputs among them."""
    clean, candidate = material.model, ModelProto.FromString(content)
    outputs = {
        output.name: output.name
        for output in clean.graph.output
        if output.type.tensor_type.elem_type == TensorProto.FLOAT
    }
    twins = dict(pairs.values()) | outputs
    sizes = {name: 2 * material.calibration.elements.get(name, 1) for name in twins}
    free = material.memory_bytes - resident_bytes() - 3 * (clean.ByteSize() + len(content))
    found: dict[str, float] = {}
    for batch in plan_batches(list(twins), sizes, free):
        some = {name: twins[name] for name in batch}
        found |= compare(clean, candidate, some, material.calibration.feeds)
    return found


def _quantized(content: bytes) -> frozenset[str]:
    """Names of the weighted nodes that read dequantized weights, or are integer operators."""
    model = ModelProto.FromString(content)
    dequantized = {
        name
        for node in model.graph.node
        if node.op_type == "DequantizeLinear"
        for name in node.output
    }
    names = set()
    for node in model.graph.node:
        is_integer = node.op_type.endswith(("Integer", "NBits")) or node.op_type == QUANTIZED_LSTM
        if is_integer or (node.op_type in WEIGHTED and dequantized.intersection(node.input[1:2])):
            names |= {node.name, node.name.removesuffix("_quant").removesuffix("_MatMul")}
    return frozenset(names)


def _weight_facts(node: NodeProto, weights: Mapping[str, Weights]) -> dict[str, Any]:
    weight = weights.get(node.input[1])
    if weight is None or weight.ndim < 2:
        return {"is_depthwise": False, "channel_spread": None}
    axis = channel_axis(node, weight.ndim)
    reach = np.abs(weight).max(axis=tuple(each for each in range(weight.ndim) if each != axis))
    reach = reach[reach > 0]
    spread = float(reach.max() / reach.min()) if len(reach) else 1.0
    is_depthwise = node.op_type == "Conv" and attribute(node, "group", 1) > 1 == weight.shape[1]
    return {"is_depthwise": is_depthwise, "channel_spread": spread}
