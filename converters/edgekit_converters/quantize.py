"""int8 and fp16: first decide as data what becomes what, then let a library rewrite the graph."""

import logging
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, TensorProto

from edgekit.engines import first_line
from edgekit.errors import ModelError, UsageError
from edgekit_converters.calibrate import Ranges, unusable
from edgekit_converters.graph import constants, copy_of, float_tensors, opset
from edgekit_converters.passes.opset_upgrade import PER_CHANNEL_OPSET
from edgekit_converters.recipe import Operators, Recipe

CONVOLUTIONS = ("Conv", "ConvTranspose")
PRODUCTS = ("Gemm", "MatMul")
FUSED_AFTER = ("Clip", "Relu")
"""Left float between two int8 operators they would cost a conversion each way."""
BETWEEN = (
    "Add", "AveragePool", "Concat", "Flatten", "Gather", "GlobalAveragePool", "LeakyRelu",
    "MaxPool", "Mul", "Pad", "Reshape", "Resize", "Sigmoid", "Slice", "Softmax", "Split",
    "Squeeze", "Transpose", "Unsqueeze", "Where",
)  # fmt: skip
"""What onnxruntime's CPU provider runs in int8, or moves without looking at the values."""
OPERATORS: Mapping[Operators, tuple[str, ...]] = {
    "all": (*CONVOLUTIONS, *PRODUCTS, *FUSED_AFTER, *BETWEEN),
    "conv+matmul": (*CONVOLUTIONS, *PRODUCTS, *FUSED_AFTER),
    "conv": (*CONVOLUTIONS, *FUSED_AFTER),
    "matmul": PRODUCTS,
}
DYNAMIC: Mapping[Operators, tuple[str, ...]] = {
    "all": ("Conv", "LSTM", *PRODUCTS),
    "conv+matmul": ("Conv", *PRODUCTS),
    "conv": ("Conv",),
    "matmul": PRODUCTS,
}
"""What onnxruntime's dynamic quantizer rewrites; Gemm through its MatMul form."""
WEIGHTED = (*CONVOLUTIONS, *PRODUCTS, "LSTM")
"""Where the arithmetic is: without one of them in int8 nothing was gained."""


@dataclass(frozen=True)
class Plan:
    """What a recipe does to one model.

    Attributes:
        recipe: whose plan it is.
        nodes: names of the nodes to quantize, in the order of the graph.
        skipped: node name to the reason why it stays float, for weighted nodes in the recipe's
            operators.
    """

    recipe: Recipe
    nodes: tuple[str, ...]
    skipped: Mapping[str, str]


@dataclass(frozen=True)
class Rewritten:
    """A model made by a recipe.

    Attributes:
        content: the .onnx file; the same plan and model give the same bytes.
        changed: how many operators of each type compute in the new precision.
    """

    content: bytes
    changed: Mapping[str, int]


def decide(model: ModelProto, recipe: Recipe, ranges: Ranges) -> Plan:
    """Choose the nodes that a recipe quantizes in a clean model."""
    if recipe.operators is None:
        return Plan(recipe, (), {})
    is_static = recipe.scheme == "static"
    operators = (OPERATORS if is_static else DYNAMIC).get(recipe.operators, ())
    find_reason = _StaticObstacles(model, ranges) if is_static else _DynamicObstacles(model)
    nodes, skipped = [], {}
    for node in model.graph.node:
        if node.op_type in operators:
            reason = find_reason(node)
            if reason is None:
                nodes.append(node.name)
            elif node.op_type in WEIGHTED:
                skipped[node.name] = reason
    return Plan(recipe, tuple(nodes), skipped)


def rewrite(model: ModelProto, plan: Plan, ranges: Ranges) -> Rewritten:
    """Make what a plan says.

    Raises:
        ModelError: the library fails, or the result computes nothing in the new precision.
    """
    recipe = plan.recipe
    thing = f"recipe {recipe.name!r}"
    _check_possible(model, plan, thing)
    makers: dict[tuple[str, str | None], Callable[[ModelProto], ModelProto]] = {
        ("fp16", None): to_fp16,
        ("int8", "static"): partial(to_static_int8, plan=plan, ranges=ranges),
        ("int8", "dynamic"): partial(to_dynamic_int8, plan=plan),
    }
    try:
        with quiet_logging():
            result = makers[recipe.precision, recipe.scheme](prepared(model))
    except Exception as error:  # quantizers fail in any way
        problem = f"the rewrite failed: {type(error).__name__}: {first_line(error)}"
        raise ModelError(thing, problem, "this recipe is not for this model") from error
    changed = lowered_operators(result)
    if not changed:
        problem = "the rewrite left every operator as it was"
        raise ModelError(thing, problem, "this recipe is not for this model")
    for name in ("producer_name", "producer_version", "metadata_props"):
        result.ClearField(name)
    result.metadata_props.extend(model.metadata_props)
    return Rewritten(result.SerializeToString(deterministic=True), changed)


def _check_possible(model: ModelProto, plan: Plan, thing: str) -> None:
    recipe = plan.recipe
    if recipe.precision == "fp32":
        raise UsageError(thing, "it changes nothing", "pack the clean model")
    plain = Recipe(precision="fp32")
    news = ("activation", "ranges", "repairs", "keep", "engine")
    has_news = any(getattr(recipe, each) != getattr(plain, each) for each in news)
    if has_news or recipe.scheme == "weightonly" or recipe.operators not in (None, *OPERATORS):
        raise ModelError(thing, "it cannot be made yet", "use a plainer recipe")
    if recipe.per_channel and opset(model) < PER_CHANNEL_OPSET:
        problem = f"the model has opset {opset(model)}, per-channel scales need {PER_CHANNEL_OPSET}"
        raise ModelError(thing, problem, "export the model again with opset_version=17")
    types = {node.name: node.op_type for node in model.graph.node}
    if recipe.precision == "int8" and not any(types[name] in WEIGHTED for name in plan.nodes):
        reasons = sorted(set(plan.skipped.values()))
        found = reasons[0] if reasons else f"it has none of the operators {recipe.operators}"
        raise ModelError(
            thing, f"nothing to quantize: {found}", "this recipe is not for this model"
        )


def to_static_int8(model: ModelProto, plan: Plan, ranges: Ranges) -> ModelProto:
    """Activations u8 with the calibrated ranges, weights s8, in QDQ form."""
    from onnxruntime.quantization import QDQQuantizer, QuantType
    from onnxruntime.quantization.calibrate import TensorData

    data = {
        name: TensorData(lowest=np.float32(each.low), highest=np.float32(each.high))
        for name, each in ranges.items()
        if each.is_usable
    }
    quantizer = QDQQuantizer(
        model,
        per_channel=plan.recipe.per_channel,
        reduce_range=plan.recipe.seven_bit,
        weight_qType=QuantType.QInt8,
        activation_qType=QuantType.QUInt8,
        tensors_range=data,
        nodes_to_quantize=list(plan.nodes),
        nodes_to_exclude=[],
        op_types_to_quantize=list(OPERATORS[_operators(plan)]),
        extra_options={},
    )
    result: ModelProto = quantizer.quantize_model()
    return result


def to_dynamic_int8(model: ModelProto, plan: Plan) -> ModelProto:
    """Weights s8; activations u8 with ranges found at each inference.

    The quantizer first splits a Gemm `g` into a MatMul `g_MatMul` and an Add.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with TemporaryDirectory(prefix="edgekit-") as folder:
        path = Path(folder) / "dynamic.onnx"
        quantize_dynamic(
            model,
            path,
            op_types_to_quantize=list(DYNAMIC[_operators(plan)]),
            nodes_to_quantize=[f"{name}{end}" for name in plan.nodes for end in ("", "_MatMul")],
            per_channel=plan.recipe.per_channel,
            reduce_range=plan.recipe.seven_bit,
            weight_type=QuantType.QInt8,
        )
        return onnx.load(path)


def to_fp16(model: ModelProto) -> ModelProto:
    """Weights and arithmetic in half precision; inputs and outputs stay as they are."""
    from onnxruntime.transformers import float16

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one for each weight that rounds to zero
        result: ModelProto = float16.convert_float_to_float16(model, keep_io_types=True)
    return result


def prepared(model: ModelProto) -> ModelProto:
    """A copy that spares onnxruntime's quantizer two faults.

    It is marked as pre-processed, or advice is logged. And each operator has a bias of its own:
    for a shared one the quantizer adds a copy called `{bias}2`, a name that may be taken.
    """
    result = copy_of(model)
    onnx.helper.set_model_props(result, {"onnx.quant.pre_process": "onnxruntime.quant"})
    stored = {tensor.name: tensor for tensor in model.graph.initializer}
    uses = Counter(name for node in model.graph.node for name in node.input)
    for node in result.graph.node:
        if node.op_type in WEIGHTED and len(node.input) == 3 and uses[node.input[2]] > 1:
            bias = stored.get(node.input[2])
            if bias is not None:
                node.input[2] = f"{bias.name}/{node.name}"
                result.graph.initializer.add().CopyFrom(bias)
                result.graph.initializer[-1].name = node.input[2]
    return result


def lowered_operators(model: ModelProto) -> dict[str, int]:
    """How many operators compute in less than fp32, by type.

    Integer operators count; operators between DequantizeLinear count where they have weights;
    everything that reads a float16 tensor counts but casts.
    """
    halves = {t.name for t in model.graph.initializer if t.data_type == TensorProto.FLOAT16}
    dequantized = {
        node.output[0] for node in model.graph.node if node.op_type == "DequantizeLinear"
    }
    counts: Counter[str] = Counter()
    for node in model.graph.node:
        inputs = set(node.input)
        is_integer = node.op_type.endswith("Integer") or node.op_type.startswith("DynamicQuantize")
        is_qdq = node.op_type in WEIGHTED and len(inputs & dequantized) >= 2
        is_half = node.op_type != "Cast" and bool(inputs & halves)
        if (is_integer and node.op_type != "DynamicQuantizeLinear") or is_qdq or is_half:
            counts[node.op_type] += 1
    return dict(sorted(counts.items()))


@contextmanager
def quiet_logging() -> Iterator[None]:
    """Keep a library from writing its advice through the root logger while it works."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


class _StaticObstacles:
    """Why a node cannot have fixed ranges, None where it can."""

    def __init__(self, model: ModelProto, ranges: Ranges) -> None:
        self._unusable = unusable(model, ranges)
        self._floats = float_tensors(model)
        self._constants = constants(model.graph)

    def __call__(self, node: NodeProto) -> str | None:
        for name in filter(None, (*node.input[:1], *node.output)):
            if name not in self._floats and name not in self._constants:
                return f"{name!r} is no float32 tensor"
        for name in (*node.input, *node.output):
            if name in self._unusable:
                return self._unusable[name]
        return None


class _DynamicObstacles:
    """Why a node cannot have a stored int8 weight, None where it can."""

    def __init__(self, model: ModelProto) -> None:
        self._constants = constants(model.graph)

    def __call__(self, node: NodeProto) -> str | None:
        weight = self._constants.get(node.input[1]) if len(node.input) > 1 else None
        if weight is None or weight.data_type != TensorProto.FLOAT:
            return f"{node.op_type} {node.name!r} multiplies by no stored float32 weight"
        return None


def _operators(plan: Plan) -> Operators:
    return plan.recipe.operators or "all"
