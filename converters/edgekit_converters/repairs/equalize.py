"""Cross-layer equalization (Nagel 2019): channels between two layers are scaled to like reaches.

A channel that a layer makes small and the next one makes large again loses most of its steps. It is
multiplied at its making and divided at its reading; what lies between must pass the factor through:
Relu does, a Clip to 6 does not. (A limit for each channel would be a Min with a vector, which the
runtime does not compute in int8: what it saves in accuracy it loses in speed.)
"""

from dataclasses import dataclass

import numpy as np
from onnx import ModelProto, NodeProto

from edgekit_converters.graph import attribute
from edgekit_converters.repairs.stored import Floats32, Flow, Stored

ROUNDS = 8
"""Over all pairs: a change of one pair moves its neighbours."""
LARGEST_FACTOR = 1e3
ELEMENTWISE = ("Identity", "LeakyRelu", "Relu")
LINEAR = (*ELEMENTWISE, "AveragePool", "GlobalAveragePool", "MaxPool")
"""f(s·x) = s·f(x) for s > 0, each channel for itself; pools only where channels are axis 1."""
DENSE = ("Gemm", "MatMul")


@dataclass(frozen=True)
class Pair:
    """A layer and the only one that reads its channels."""

    first: NodeProto
    second: NodeProto


def equalize(model: ModelProto) -> int:
    """Rewrite in place; returns how many pairs of layers were scaled."""
    stored = Stored(model)
    found = pairs(model, stored)
    changed: set[int] = set()
    for _ in range(ROUNDS):
        for number, pair in enumerate(found):
            if _scale(pair, stored):
                changed.add(number)
    return len(changed)


def pairs(model: ModelProto, stored: Stored) -> list[Pair]:
    """Pairs whose channels can be scaled, in graph order."""
    flow = Flow(model)
    found = []
    for node in model.graph.node:
        if not _makes_channels(node, stored):
            continue
        between = ELEMENTWISE if node.op_type in DENSE else LINEAR
        tensor = node.output[0]
        reader = flow.only_reader(tensor)
        while reader is not None and reader.op_type in between:
            tensor = reader.output[0]
            reader = flow.only_reader(tensor)
        if reader is not None and reader.input[0] == tensor and _reads_all(reader, node, stored):
            found.append(Pair(node, reader))
    return found


def _makes_channels(node: NodeProto, stored: Stored) -> bool:
    """Whether weight and bias are stored, with a row or column and a number for each channel."""
    if not _is_layer(node, stored):
        return False
    weight = stored.get(node.input[1])
    if weight is None or len(node.input) < 3 or not node.input[2]:
        return weight is not None
    bias = stored.get(node.input[2])
    channels = weight.shape[_made_axis(node)]
    return bias is not None and bias.shape[-1:] == (channels,) and bias.size == channels


def _reads_all(node: NodeProto, first: NodeProto, stored: Stored) -> bool:
    if not _is_layer(node, stored) or (node.op_type in DENSE) != (first.op_type in DENSE):
        return False
    weight, before = stored.get(node.input[1]), stored.get(first.input[1])
    if weight is None or before is None:
        return False
    channels = before.shape[_made_axis(first)]
    group = attribute(node, "group", 1)
    is_depthwise = weight.shape[1] == 1 and group == len(weight) == channels > 1
    return bool(is_depthwise or (group == 1 and weight.shape[_read_axis(node)] == channels))


def _is_layer(node: NodeProto, stored: Stored) -> bool:
    if node.op_type not in ("Conv", *DENSE) or attribute(node, "transA", 0):
        return False
    weight = stored.get(node.input[1])
    return weight is not None and weight.ndim >= 2 and (node.op_type == "Conv" or weight.ndim == 2)


def _made_axis(node: NodeProto) -> int:
    """Of the weight, over channels written."""
    return 1 - _read_axis(node)


def _read_axis(node: NodeProto) -> int:
    """Of the weight, over channels read."""
    return 1 if node.op_type == "Conv" or attribute(node, "transB", 0) else 0


def _scale(pair: Pair, stored: Stored) -> bool:
    """Scale one pair; False where its channels are alike already."""
    first, second = stored.get(pair.first.input[1]), stored.get(pair.second.input[1])
    if first is None or second is None:
        return False
    is_depthwise = attribute(pair.second, "group", 1) > 1
    axes = _made_axis(pair.first), 0 if is_depthwise else _read_axis(pair.second)
    made, read = (_reach(weight, axis) for weight, axis in zip((first, second), axes, strict=True))
    can = (made > 0) & (read > 0)
    factor = np.ones(len(made), np.float32)
    factor[can] = np.sqrt(read[can] / made[can])
    factor = np.clip(factor, 1 / LARGEST_FACTOR, LARGEST_FACTOR)
    if np.allclose(factor, 1.0, rtol=0.01):
        return False
    stored.put(pair.first, 1, first * _along(factor, axes[0], first.ndim))
    if len(pair.first.input) > 2 and pair.first.input[2]:
        bias = stored.get(pair.first.input[2])
        if bias is not None:
            stored.put(pair.first, 2, bias * factor)
    stored.put(pair.second, 1, second / _along(factor, axes[1], second.ndim))
    return True


def _reach(weight: Floats32, axis: int) -> Floats32:
    others = tuple(each for each in range(weight.ndim) if each != axis)
    reach: Floats32 = np.abs(weight).max(axis=others)
    return reach


def _along(factor: Floats32, axis: int, rank: int) -> Floats32:
    """For each channel, to multiply a weight with."""
    return factor.reshape([-1 if each == axis else 1 for each in range(rank)])
