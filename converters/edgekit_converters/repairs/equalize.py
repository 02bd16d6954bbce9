"""Cross-layer equalization (Nagel 2019): channels between two layers are scaled to like reaches.

A channel that a layer makes small and the next one makes large again loses most of its steps. It is
multiplied at its making and divided at its reading; what lies between must pass the factor through:
Relu does, a Clip to 6 does not.
"""

from dataclasses import dataclass

import numpy as np
from onnx import ModelProto, NodeProto

from edgekit_converters.graph import attribute
from edgekit_converters.repairs.stored import Floats32, Flow, Stored

ROUNDS = 8
"""Over all pairs: a change of one pair moves its neighbours."""
LARGEST_FACTOR = 1e3
LINEAR = ("AveragePool", "GlobalAveragePool", "Identity", "LeakyRelu", "MaxPool", "Relu")
"""f(s·x) = s·f(x) for s > 0, each channel for itself."""


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
        if _makes_channels(node, stored):
            reader = flow.only_reader(node.output[0])
            while reader is not None and reader.op_type in LINEAR:
                reader = flow.only_reader(reader.output[0])
            if reader is not None and _reads_channels(reader, node, stored):
                found.append(Pair(node, reader))
    return found


def _makes_channels(node: NodeProto, stored: Stored) -> bool:
    if node.op_type != "Conv" or stored.get(node.input[1]) is None:
        return False
    return len(node.input) < 3 or not node.input[2] or stored.get(node.input[2]) is not None


def _reads_channels(node: NodeProto, first: NodeProto, stored: Stored) -> bool:
    if node.op_type != "Conv":
        return False
    weight, before = stored.get(node.input[1]), stored.get(first.input[1])
    if weight is None or before is None:
        return False
    group = attribute(node, "group", 1)
    is_depthwise = weight.shape[1] == 1 and group == len(weight) == len(before)
    return bool(is_depthwise or (group == 1 and weight.shape[1] == len(before)))


def _scale(pair: Pair, stored: Stored) -> bool:
    """Scale one pair; False where its channels are alike already."""
    first, second = stored.get(pair.first.input[1]), stored.get(pair.second.input[1])
    if first is None or second is None:
        return False
    is_depthwise = attribute(pair.second, "group", 1) > 1
    made = np.abs(first).reshape(len(first), -1).max(axis=1)
    read = _reach_of_inputs(second, is_depthwise)
    can = (made > 0) & (read > 0)
    factor = np.ones(len(made), np.float32)
    factor[can] = np.sqrt(read[can] / made[can])
    factor = np.clip(factor, 1 / LARGEST_FACTOR, LARGEST_FACTOR)
    if np.allclose(factor, 1.0, rtol=0.01):
        return False
    stored.put(pair.first, 1, first * factor.reshape(-1, *[1] * (first.ndim - 1)))
    if len(pair.first.input) > 2 and pair.first.input[2]:
        bias = stored.get(pair.first.input[2])
        if bias is not None:
            stored.put(pair.first, 2, bias * factor)
    axis = 0 if is_depthwise else 1
    shape = [-1 if each == axis else 1 for each in range(second.ndim)]
    stored.put(pair.second, 1, second / factor.reshape(shape))
    return True


def _reach_of_inputs(weight: Floats32, is_depthwise: bool) -> Floats32:
    axis = 0 if is_depthwise else 1
    reach: Floats32 = np.abs(weight).max(
        axis=tuple(each for each in range(weight.ndim) if each != axis)
    )
    return reach
