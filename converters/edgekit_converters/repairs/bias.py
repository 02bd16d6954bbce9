"""Bias correction (Nagel 2019), empirical: what rounding shifts a channel by is taken off its bias.

Shifts are means over calibration feeds of each layer's own error, fed by the float model.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper

from edgekit.engines import Array, open_engine
from edgekit_converters.calibration.calibrate import Ranges
from edgekit_converters.graph import attribute
from edgekit_converters.recipes.grid import channel_axis
from edgekit_converters.recipes.recipe import Recipe
from edgekit_converters.repairs.stored import Floats32, Flow, Stored
from edgekit_converters.sensitivity.copies import Copies


def correct_biases(
    model: ModelProto,
    recipe: Recipe,
    nodes: Sequence[str],
    ranges: Ranges,
    feeds: Sequence[Mapping[str, Array]],
) -> int:
    """Rewrite in place; returns how many layers were corrected."""
    copies = Copies(model, ranges, recipe)
    stored, flow = Stored(model), Flow(model)
    chosen = {node.name: node for node in model.graph.node if node.name in set(nodes)}
    layers = {
        name: node
        for name, node in chosen.items()
        if "weights" in copies.layers.get(name, ()) and _home(node, stored, flow) is not None
    }
    for name, shift in shifts(copies, layers, stored, feeds).items():
        home = _home(layers[name], stored, flow)
        if home is not None:
            node, place = home
            bias = stored.get(node.input[place]) if place < len(node.input) else None
            stored.put(node, place, (bias if bias is not None else np.float32(0)) - shift)
    return len(layers)


def _home(node: NodeProto, stored: Stored, flow: Flow) -> tuple[NodeProto, int] | None:
    """The node and place where a layer's bias is stored, or can be; None where it has none."""
    if node.op_type in ("Conv", "ConvTranspose"):
        is_free = len(node.input) < 3 or stored.get(node.input[2]) is not None
        return (node, 2) if is_free else None
    if node.op_type == "Gemm":
        is_plain = attribute(node, "alpha", 1.0) == 1 and attribute(node, "beta", 1.0) == 1
        is_stored = len(node.input) > 2 and stored.get(node.input[2]) is not None
        return (node, 2) if is_plain and is_stored else None
    reader = flow.only_reader(node.output[0])
    if reader is None or reader.op_type != "Add":
        return None
    place = 1 if reader.input[0] == node.output[0] else 0
    bias = stored.get(reader.input[place])
    width = _width(node, stored)
    return (reader, place) if bias is not None and bias.shape[-1:] == (width,) else None


def _width(node: NodeProto, stored: Stored) -> int:
    weight = stored.get(node.input[1])
    return 0 if weight is None else int(weight.shape[channel_axis(node, weight.ndim)])


def shifts(
    copies: Copies,
    layers: Mapping[str, NodeProto],
    stored: Stored,
    feeds: Sequence[Mapping[str, Array]],
) -> dict[str, Floats32]:
    """The mean error of each channel by node name."""
    model = copies.model
    del model.graph.output[:]
    for name in layers:
        error = f"{name}/own/error"
        model.graph.output.append(helper.make_tensor_value_info(error, TensorProto.FLOAT, None))
    sums = {name: np.zeros(_width(node, stored)) for name, node in layers.items()}
    counts = dict.fromkeys(layers, 0)
    if not layers:
        return {}
    engine = open_engine("onnxruntime", model.SerializeToString())
    try:
        for each in feeds:
            values = engine.run(each)
            for name, node in layers.items():
                is_conv = node.op_type in ("Conv", "ConvTranspose")
                flat = np.moveaxis(values[f"{name}/own/error"], 1 if is_conv else -1, -1)
                flat = flat.reshape(-1, flat.shape[-1])
                sums[name] += flat.sum(axis=0, dtype=np.float64)
                counts[name] += len(flat)
    finally:
        engine.close()
    return {name: (sums[name] / max(counts[name], 1)).astype(np.float32) for name in layers}
