"""Which nodes a recipe quantizes, decided as data, and why others stay float.

int8 pays where neighbours are int8 too: each change of form costs a pass over the tensor, often
more than the operator itself. So operators between are taken only where that saves conversions,
and what the runtime computes as one float operator (GELU, layer norm, …) is left to it whole.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto

from edgekit.errors import ModelError
from edgekit_converters.calibration.calibrate import Ranges, unusable
from edgekit_converters.graph import attribute, constants, float_tensors
from edgekit_converters.recipes.fusion import fused_regions
from edgekit_converters.recipes.recipe import Operators, Recipe

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
    "largeconv": ("Conv", *FUSED_AFTER),
    "pointwise": ("Conv", *FUSED_AFTER),
}
DYNAMIC: Mapping[Operators, tuple[str, ...]] = {
    "all": ("LSTM", *PRODUCTS),
    "conv+matmul": ("Conv", *PRODUCTS),
    "conv": ("Conv",),
    "matmul": PRODUCTS,
}
"""What onnxruntime's dynamic quantizer rewrites; Gemm through its MatMul form. Convolutions only
where they are named: ConvInteger ran at 0.06 to 0.24 of fp32's speed wherever it was measured."""
STORED: Mapping[Operators, tuple[str, ...]] = {
    "all": (*CONVOLUTIONS, *PRODUCTS),
    "matmul": PRODUCTS,
}
"""What weights are stored small of."""
WEIGHTED = (*CONVOLUTIONS, *PRODUCTS, "LSTM")
"""Where the arithmetic is: without one of them in int8 nothing was gained."""
LARGE_SUM, LARGE_WIDTH = 64, 16
"""A convolution is large if it sums that many products for each of that many channels or more."""


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


def weighted_nodes(model: ModelProto) -> tuple[str, ...]:
    """Names of the nodes that multiply and add, in graph order: what `Recipe.keep` counts."""
    return tuple(node.name for node in model.graph.node if node.op_type in WEIGHTED)


def decide(model: ModelProto, recipe: Recipe, ranges: Ranges) -> Plan:
    """Choose the nodes that a recipe quantizes in a clean model.

    Raises:
        ModelError: it keeps a node that the model does not have.
    """
    kept = kept_nodes(model, recipe)
    if recipe.operators is None:
        return Plan(recipe, (), dict.fromkeys(kept, "the recipe keeps it"))
    is_static = recipe.scheme == "static"
    operators = {"static": OPERATORS, "dynamic": DYNAMIC, "weightonly": STORED}[
        recipe.scheme or "static"
    ].get(recipe.operators, ())
    find_reason = _StaticObstacles(model, ranges) if is_static else _WeightObstacles(model)
    nodes, skipped = [], {}
    for node in model.graph.node:
        if node.op_type not in operators or not _is_in_subset(node, recipe.operators, find_reason):
            continue
        reason = "the recipe keeps it" if node.name in kept else find_reason(node)
        if reason is None:
            nodes.append(node)
        elif node.op_type in WEIGHTED:
            skipped[node.name] = reason
    if is_static:
        nodes = placed(model, nodes)
    return Plan(recipe, tuple(node.name for node in nodes), skipped)


def kept_nodes(model: ModelProto, recipe: Recipe) -> tuple[str, ...]:
    """Names of the nodes that a recipe leaves float.

    Raises:
        ModelError: the model has not that many.
    """
    known = weighted_nodes(model)
    for index in recipe.keep:
        if index >= len(known):
            problem = f"there is no weighted node {index}, the model has {len(known)}"
            raise ModelError(f"recipe {recipe.name!r}", problem, "keep lower numbers")
    return tuple(known[index] for index in recipe.keep)


def placed(model: ModelProto, nodes: Iterable[NodeProto]) -> list[NodeProto]:
    """Those of the nodes for which int8 saves conversions, weighted ones always.

    Nodes go one by one while leaving one float needs fewer conversions of whole tensors.
    """
    order = list(nodes)
    whole = {name for region in fused_regions(model) for name in region}
    chosen = {
        node.name: node for node in order if node.op_type in WEIGHTED or node.name not in whole
    }
    graph = _Flow(model)
    is_changing = True
    while is_changing:
        is_changing = False
        for node in order:
            movable = node.name in chosen and node.op_type not in WEIGHTED
            if movable and graph.conversions(node, chosen) > graph.conversions_without(
                node, chosen
            ):
                del chosen[node.name]
                is_changing = True
    return [node for node in order if node.name in chosen]


class _Flow:
    """Who makes and who reads each computed tensor."""

    def __init__(self, model: ModelProto) -> None:
        self._constants = constants(model.graph)
        self._maker = {name: node for node in model.graph.node for name in node.output}
        self._outputs = {output.name for output in model.graph.output}
        self._readers: dict[str, list[NodeProto]] = {}
        for node in model.graph.node:
            for name in node.input:
                self._readers.setdefault(name, []).append(node)

    def conversions(self, node: NodeProto, chosen: Mapping[str, NodeProto]) -> int:
        """Changes of form at the node's tensors if it is int8: float made, or float read."""
        made = sum(not self._is_made_in(name, chosen) for name in self._inputs(node))
        return made + sum(self._has_float_reader(name, chosen, node) for name in node.output)

    def conversions_without(self, node: NodeProto, chosen: Mapping[str, NodeProto]) -> int:
        """Changes of form at the node's tensors if it is float: int8 made, or int8 read."""
        made = 0
        for name in self._inputs(node):
            others = any(
                each.name not in chosen for each in self._readers[name] if each.name != node.name
            )
            made += self._is_made_in(name, chosen) and not others
            is_quantized_for_others = any(
                each.name in chosen and each.name != node.name for each in self._readers[name]
            )
            made += not self._is_made_in(name, chosen) and is_quantized_for_others
        read = sum(
            any(each.name in chosen for each in self._readers.get(name, ())) for name in node.output
        )
        return made + read

    def _inputs(self, node: NodeProto) -> list[str]:
        return [name for name in dict.fromkeys(node.input) if name in self._maker]

    def _is_made_in(self, name: str, chosen: Mapping[str, NodeProto]) -> bool:
        return self._maker[name].name in chosen

    def _has_float_reader(
        self, name: str, chosen: Mapping[str, NodeProto], node: NodeProto
    ) -> bool:
        readers = self._readers.get(name, [])
        return name in self._outputs or any(
            each.name not in chosen for each in readers if each.name != node.name
        )


class _StaticObstacles:
    """Why a node cannot have fixed ranges, None where it can."""

    def __init__(self, model: ModelProto, ranges: Ranges) -> None:
        self._unusable = unusable(model, ranges)
        self._floats = float_tensors(model)
        self.constants = constants(model.graph)

    def __call__(self, node: NodeProto) -> str | None:
        for name in filter(None, (*node.input[:1], *node.output)):
            if name not in self._floats and name not in self.constants:
                return f"{name!r} is no float32 tensor"
        for name in (*node.input, *node.output):
            if name in self._unusable:
                return self._unusable[name]
        return None


class _WeightObstacles:
    """Why a node cannot have a stored int8 weight, None where it can."""

    def __init__(self, model: ModelProto) -> None:
        self.constants = constants(model.graph)

    def __call__(self, node: NodeProto) -> str | None:
        weight = self.constants.get(node.input[1]) if len(node.input) > 1 else None
        if weight is None or weight.data_type != TensorProto.FLOAT:
            return f"{node.op_type} {node.name!r} multiplies by no stored float32 weight"
        return None


def _is_in_subset(
    node: NodeProto, operators: Operators, known: _StaticObstacles | _WeightObstacles
) -> bool:
    """Whether a node is one of the convolutions that a subset is about."""
    if operators not in ("largeconv", "pointwise") or node.op_type != "Conv":
        return True
    weight = known.constants.get(node.input[1])
    if weight is None or attribute(node, "group", 1) != 1:
        return False
    shape = list(weight.dims)
    if operators == "pointwise":
        return int(np.prod(shape[2:])) == 1
    return int(np.prod(shape[1:])) >= LARGE_SUM and shape[0] >= LARGE_WIDTH


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
        is_integer = node.op_type.endswith(("Integer", "NBits")) or node.op_type.startswith(
            "DynamicQuantize"
        )
        is_qdq = node.op_type in WEIGHTED and bool(dequantized.intersection(node.input[1:2]))
        is_half = node.op_type != "Cast" and bool(inputs & halves)
        if (is_integer and node.op_type != "DynamicQuantizeLinear") or is_qdq or is_half:
            counts[node.op_type] += 1
    return dict(sorted(counts.items()))
