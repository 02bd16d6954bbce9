"""Takes units out of a model: stored tensors shrink, and the few settings that count channels."""

from collections.abc import Collection

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, helper, numpy_helper

from edgekit_converters.graph import attribute, copy_of
from edgekit_converters.prune.trace import Axes, Trace
from edgekit_converters.prune.units import Ids

SPLIT_INPUT_OPSET = 13
"""Since this one Split takes its sizes as an input."""


def kept(trace: Trace, ids: Ids, removed: Collection[int]) -> NDArray[np.bool_]:
    """Which positions of an axis stay."""
    return ~np.isin(trace.units.roots(ids), list(removed))


def without_units(model: ModelProto, trace: Trace, removed: Collection[int]) -> ModelProto:
    """A copy of the model without these units.

    Args:
        model: the one that `trace` is of.
        trace: where the units are.
        removed: representatives.
    """
    result = copy_of(model)
    graph = result.graph
    del graph.value_info[:]
    for tensor in graph.initializer:
        axes = trace.axes.get(tensor.name, ())
        if any(ids is not None for ids in axes):
            array = _sliced(numpy_helper.to_array(tensor), axes, trace, removed)
            tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
    for node in list(graph.node):
        if node.op_type == "Reshape":
            _resize_reshape(result, node, trace, removed)
        elif node.op_type == "Split":
            _resize_split(result, node, trace, removed)
        elif node.op_type == "Conv" and _is_depthwise(node, trace):
            axes = trace.axes[node.input[0]]
            _set(node, "group", _count(axes[1], trace, removed))
    return result


def with_zeroed(model: ModelProto, trace: Trace, removed: Collection[int]) -> ModelProto:
    """A copy in which nobody hears these units: what the model without them must equal."""
    result = copy_of(model)
    stored = {tensor.name: tensor for tensor in result.graph.initializer}
    for mixer in trace.mixers:
        if mixer.inputs is None:
            continue
        array = numpy_helper.to_array(stored[mixer.weight]).copy()
        np.moveaxis(array, mixer.in_axis, 0)[~kept(trace, mixer.inputs, removed)] = 0
        stored[mixer.weight].CopyFrom(numpy_helper.from_array(array, mixer.weight))
    return result


def _sliced(
    array: NDArray[np.generic], axes: Axes, trace: Trace, removed: Collection[int]
) -> NDArray[np.generic]:
    for axis, ids in enumerate(axes):
        if ids is not None:
            array = np.compress(kept(trace, ids, removed), array, axis)
    return np.ascontiguousarray(array)


def _count(ids: Ids | None, trace: Trace, removed: Collection[int]) -> int:
    return 0 if ids is None else int(np.count_nonzero(kept(trace, ids, removed)))


def _resize_reshape(
    model: ModelProto, node: NodeProto, trace: Trace, removed: Collection[int]
) -> None:
    axes = trace.axes.get(node.output[0], ())
    if all(ids is None for ids in axes):
        return
    shape = np.array(trace.templates[node.output[0]], np.int64)
    for axis, ids in enumerate(axes):
        if ids is not None and shape[axis] > 0:
            shape[axis] = _count(ids, trace, removed)
    node.input[1] = _store(model, shape, f"{node.output[0]}/shape")
    _set(node, "allowzero", None)  # torch's newer exporter sets it; here a 0 copies a size


def _resize_split(
    model: ModelProto, node: NodeProto, trace: Trace, removed: Collection[int]
) -> None:
    along = attribute(node, "axis", 0)
    parts = [trace.axes[name][along] for name in node.output if name in trace.axes]
    if not parts or any(ids is None for ids in parts):
        return
    sizes = np.array([_count(ids, trace, removed) for ids in parts], np.int64)
    for name in ("split", "num_outputs"):
        _set(node, name, None)
    if trace.opset < SPLIT_INPUT_OPSET:
        _set(node, "split", sizes.tolist())
        return
    del node.input[1:]
    node.input.append(_store(model, sizes, f"{node.output[0]}/sizes"))


def _is_depthwise(node: NodeProto, trace: Trace) -> bool:
    axes = trace.axes.get(node.input[0], ())
    is_grouped = attribute(node, "group", 1) > 1 and trace.shape(node.input[1])[1] == 1
    return is_grouped and len(axes) > 1 and axes[1] is not None


def _store(model: ModelProto, array: NDArray[np.generic], name: str) -> str:
    taken = {tensor.name for tensor in model.graph.initializer}
    taken |= {output for node in model.graph.node for output in node.output}
    while name in taken:
        name += "_"
    model.graph.initializer.append(numpy_helper.from_array(array, name))
    return name


def _set(node: NodeProto, name: str, value: int | list[int] | None) -> None:
    for index in reversed(range(len(node.attribute))):
        if node.attribute[index].name == name:
            del node.attribute[index]
    if value is not None:
        node.attribute.append(helper.make_attribute(name, value))


def with_initializers(model: ModelProto) -> ModelProto:
    """A copy whose constants all are initializers: one kind of stored tensor is left."""
    result = copy_of(model)
    graph = result.graph
    for index in reversed(range(len(graph.node))):
        node = graph.node[index]
        if node.op_type == "Constant" and (value := attribute(node, "value")) is not None:
            tensor = onnx.TensorProto()
            tensor.CopyFrom(value)
            tensor.name = node.output[0]
            graph.initializer.append(tensor)
            del graph.node[index]
    return result
