"""SmoothQuant (Xiao 2023): outlier channels of a layer norm move into the weights that read it.

The norm's own scale and shift are divided by a factor for each channel, the rows of the matrices
that read it are multiplied.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from onnx import ModelProto, NodeProto

from edgekit.engines import Array
from edgekit_converters.graph import attribute
from edgekit_converters.prune.observe import Probe
from edgekit_converters.repairs.stored import Floats32, Flow, Stored

STRENGTH = 0.5
"""Share of the difficulty that moves to the weights: the paper's α for most models."""
NORMS = ("LayerNormalization", "SimplifiedLayerNormalization", "RMSNormalization")
LEAST = 1e-5


@dataclass(frozen=True)
class Norm:
    """A tensor made by a norm's scale and shift, and the products that read it.

    Attributes:
        tensor: whose last axis are the channels.
        parts: (node, place of its stored input): what a factor is divided from.
        products: MatMul or Gemm nodes with a stored matrix.
    """

    tensor: str
    parts: tuple[tuple[NodeProto, int], ...]
    products: tuple[NodeProto, ...]


def smooth(model: ModelProto, feeds: Sequence[Mapping[str, Array]]) -> int:
    """Rewrite in place; returns how many norms were smoothed."""
    stored = Stored(model)
    found = norms(model, stored)
    reaches = _reaches(model, [norm.tensor for norm in found], feeds)
    for norm in found:
        _smooth(norm, reaches[norm.tensor], stored)
    return len(found)


def norms(model: ModelProto, stored: Stored) -> list[Norm]:
    """Norms whose every reader is a product with a stored matrix."""
    flow = Flow(model)
    found = []
    for node in model.graph.node:
        parts = _parts(node, flow, stored)
        readers = flow.readers(node.output[0]) or []
        if parts and readers and all(_is_product(each, node.output[0], stored) for each in readers):
            found.append(Norm(node.output[0], parts, tuple(readers)))
    return found


def _parts(node: NodeProto, flow: Flow, stored: Stored) -> tuple[tuple[NodeProto, int], ...]:
    """The stored scale and shift that make a tensor: of a norm, or of a Mul and an Add."""
    if node.op_type in NORMS:
        places = [place for place in range(1, len(node.input)) if node.input[place]]
        is_last = attribute(node, "axis", -1) == -1
        is_stored = all(_is_vector(node.input[place], stored) for place in places)
        return tuple((node, place) for place in places) if is_last and is_stored else ()
    if node.op_type != "Add":
        return ()
    for place in (0, 1):
        scaled = flow.maker.get(node.input[1 - place])
        if scaled is None or scaled.op_type != "Mul" or not _is_vector(node.input[place], stored):
            continue
        scale = next((each for each in (0, 1) if _is_vector(scaled.input[each], stored)), None)
        if scale is not None and flow.only_reader(scaled.output[0]) is not None:
            return ((scaled, scale), (node, place))
    return ()


def _is_vector(name: str, stored: Stored) -> bool:
    found = stored.get(name)
    return found is not None and found.ndim >= 1 and found.size == found.shape[-1] > 1


def _is_product(node: NodeProto, tensor: str, stored: Stored) -> bool:
    if node.op_type not in ("MatMul", "Gemm") or node.input[0] != tensor:
        return False
    weight = stored.get(node.input[1])
    return weight is not None and weight.ndim == 2 and not attribute(node, "transA", 0)


def _rows_axis(node: NodeProto) -> int:
    return 1 if attribute(node, "transB", 0) else 0


def _smooth(norm: Norm, reach: Floats32, stored: Stored) -> None:
    weights = [(node, stored.get(node.input[1])) for node in norm.products]
    rows = np.stack(
        [
            np.abs(weight).max(axis=1 - _rows_axis(node))
            for node, weight in weights
            if weight is not None
        ]
    ).max(axis=0)
    factor = np.maximum(reach, LEAST) ** STRENGTH / np.maximum(rows, LEAST) ** (1 - STRENGTH)
    factor = np.maximum(factor, LEAST).astype(np.float32)
    for node, place in norm.parts:
        part = stored.get(node.input[place])
        if part is not None:
            stored.put(node, place, part / factor.reshape([1] * (part.ndim - 1) + [-1]))
    for node, weight in weights:
        if weight is not None:
            shape = [-1, 1] if _rows_axis(node) == 0 else [1, -1]
            stored.put(node, 1, weight * factor.reshape(shape))


def _reaches(
    model: ModelProto, tensors: Sequence[str], feeds: Sequence[Mapping[str, Array]]
) -> dict[str, Floats32]:
    """The greatest magnitude of each channel."""
    found: dict[str, Floats32] = {}
    if not tensors:
        return found
    with Probe(model, tensors) as probe:
        for each in feeds:
            for name, values in probe.run(each).items():
                reach = np.abs(values).reshape(-1, values.shape[-1]).max(axis=0)
                found[name] = np.maximum(found.get(name, reach), reach)
    return found
