"""int8 and fp16: first decide as data what becomes what, then let a library rewrite the graph."""

import logging
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
from onnx import ModelProto, TensorProto

from edgekit.engines import first_line
from edgekit.errors import ModelError, UsageError
from edgekit_converters.calibration.calibrate import Ranges
from edgekit_converters.graph import all_tensors, constants, copy_of, opset
from edgekit_converters.passes.opset_upgrade import PER_CHANNEL_OPSET
from edgekit_converters.recipes.placement import (
    DYNAMIC,
    OPERATORS,
    WEIGHTED,
    Plan,
    lowered_operators,
)
from edgekit_converters.recipes.recipe import Activation
from edgekit_converters.recipes.weightonly import to_weight_only


@dataclass(frozen=True)
class Rewritten:
    """A model made by a recipe.

    Attributes:
        content: the .onnx file; the same plan and model give the same bytes.
        changed: how many operators of each type compute in the new precision.
    """

    content: bytes
    changed: Mapping[str, int]


def rewrite(model: ModelProto, plan: Plan, ranges: Ranges) -> Rewritten:
    """Make what a plan says.

    Raises:
        ModelError: the library fails, or the result computes nothing in the new precision.
    """
    recipe = plan.recipe
    thing = f"recipe {recipe.name!r}"
    _check_possible(model, plan, thing)
    makers: dict[tuple[str, str | None], Callable[[ModelProto], ModelProto]] = {
        ("fp16", None): partial(to_fp16, kept=tuple(plan.skipped)),
        ("int8", "static"): partial(to_static_int8, plan=plan, ranges=ranges),
        ("int8", "dynamic"): partial(to_dynamic_int8, plan=plan),
        ("int8", "weightonly"): partial(to_weight_only, nodes=plan.nodes, bits=8),
        ("int4", "weightonly"): partial(to_weight_only, nodes=plan.nodes, bits=4),
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
    return Rewritten(signed(result, model), changed)


def signed(result: ModelProto, model: ModelProto) -> bytes:
    """A made model's file: the source's own properties, and no library's name or version."""
    for name in ("producer_name", "producer_version", "metadata_props"):
        result.ClearField(name)
    result.metadata_props.extend(model.metadata_props)
    return result.SerializeToString(deterministic=True)


def _check_possible(model: ModelProto, plan: Plan, thing: str) -> None:
    recipe = plan.recipe
    if recipe.precision == "fp32":
        raise UsageError(thing, "it changes nothing", "pack the clean model")
    if recipe.per_channel and opset(model) < PER_CHANNEL_OPSET:
        problem = f"the model has opset {opset(model)}, per-channel scales need {PER_CHANNEL_OPSET}"
        raise ModelError(thing, problem, "export the model again with opset_version=17")
    types = {node.name: node.op_type for node in model.graph.node}
    is_integer = recipe.scheme is not None
    _check_weights(model, thing)
    if is_integer and not any(types[name] in WEIGHTED for name in plan.nodes):
        reasons = sorted(set(plan.skipped.values()))
        found = reasons[0] if reasons else f"it has none of the operators {recipe.operators}"
        raise ModelError(
            thing, f"nothing to quantize: {found}", "this recipe is not for this model"
        )


def _check_weights(model: ModelProto, thing: str) -> None:
    for tensor in all_tensors(model.graph):
        if tensor.data_type == TensorProto.FLOAT:
            values = onnx.numpy_helper.to_array(tensor)
            if np.isnan(values).any():
                problem = f"weight {tensor.name!r} has NaN, and no scale stands for it"
                raise ModelError(thing, problem, "export the model again, or train it again")


ACTIVATION_TYPES: Mapping[Activation, str] = {"u8": "QUInt8", "s8": "QInt8", "s16": "QInt16"}
"""What onnxruntime's quantizer calls them."""


def to_static_int8(model: ModelProto, plan: Plan, ranges: Ranges) -> ModelProto:
    """Activations with the calibrated ranges, weights s8, in QDQ form."""
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
        activation_qType=QuantType[ACTIVATION_TYPES[plan.recipe.activation]],
        tensors_range=data,
        nodes_to_quantize=list(plan.nodes),
        nodes_to_exclude=[],
        op_types_to_quantize=list(OPERATORS[plan.recipe.operators or "all"]),
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
            op_types_to_quantize=list(DYNAMIC[plan.recipe.operators or "all"]),
            nodes_to_quantize=[f"{name}{end}" for name in plan.nodes for end in ("", "_MatMul")],
            per_channel=plan.recipe.per_channel,
            reduce_range=plan.recipe.seven_bit,
            weight_type=QuantType.QInt8,
        )
        return onnx.load(path)


def to_fp16(model: ModelProto, kept: Sequence[str] = ()) -> ModelProto:
    """Weights and arithmetic in half precision; inputs and outputs stay as they are."""
    from onnxruntime.transformers import float16

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one for each weight that rounds to zero
        result: ModelProto = float16.convert_float_to_float16(
            model, keep_io_types=True, node_block_list=list(kept)
        )
    return result


def prepared(model: ModelProto) -> ModelProto:
    """A copy that spares onnxruntime's quantizer three faults.

    It is marked as pre-processed, or advice is logged. Constant nodes become initializers: it asks
    for a range of their outputs. And each operator has a bias of its own:
    for a shared one the quantizer adds a copy called `{bias}2`, a name that may be taken.
    """
    result = copy_of(model)
    onnx.helper.set_model_props(result, {"onnx.quant.pre_process": "onnxruntime.quant"})
    _store_constants(result)
    stored = {tensor.name: tensor for tensor in result.graph.initializer}
    uses = Counter(name for node in model.graph.node for name in node.input)
    for node in result.graph.node:
        if node.op_type in WEIGHTED and len(node.input) == 3 and uses[node.input[2]] > 1:
            bias = stored.get(node.input[2])
            if bias is not None:
                node.input[2] = f"{bias.name}/{node.name}"
                result.graph.initializer.add().CopyFrom(bias)
                result.graph.initializer[-1].name = node.input[2]
    return result


def _store_constants(model: ModelProto) -> None:
    stored = constants(model.graph)
    kept = [node for node in model.graph.node if not stored.keys() & set(node.output)]
    known = {tensor.name for tensor in model.graph.initializer}
    for name in (each for each in stored if each not in known):
        model.graph.initializer.add().CopyFrom(stored[name])
        model.graph.initializer[-1].name = name
    del model.graph.node[:]
    model.graph.node.extend(kept)


@contextmanager
def quiet_logging() -> Iterator[None]:
    """Keep a library from writing its advice through the root logger while it works."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
