"""Writes a float16 model in float32, which recipes start from; inputs and outputs stay float16."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, helper

from edgekit_converters.graph import DEFAULT_DOMAIN, all_graphs, all_tensors, subgraphs

HALF, FLOAT = TensorProto.FLOAT16, TensorProto.FLOAT
KINDS = ("to", "dtype", "output_dtype", "stash_type")
"""Attributes that name a type."""


@dataclass(frozen=True)
class WideHalves:
    """Quantizers, pruning and fusions know float32 only.

    CPUs without float16 arithmetic compute such a model in float32 anyway, so it costs no time
    there; where it does, the model that came is what is shipped at worst.
    """

    name: str = "wide-halves"
    tolerance: float = 1e-2  # of a float16 model every operator rounds to 11 bits

    def unneeded(self, model: ModelProto) -> str | None:
        """Not where nothing is float16."""
        kinds = {tensor.data_type for tensor in all_tensors(model.graph)}
        kinds |= {_kind(each) for each in (*model.graph.input, *model.graph.output)}
        return None if HALF in kinds else "nothing is float16"

    def apply(self, model: ModelProto) -> ModelProto:
        """Every tensor, inner graphs included; what enters and leaves is converted there."""
        for tensor in all_tensors(model.graph):
            if tensor.data_type == HALF:
                wide = onnx.numpy_helper.to_array(tensor).astype(np.float32)
                tensor.CopyFrom(onnx.numpy_helper.from_array(wide, tensor.name))
        for graph in all_graphs(model.graph):
            del graph.value_info[:]
            for node in graph.node:
                _retype(node)
            if graph is not model.graph:
                for info in (*graph.input, *graph.output):
                    if _kind(info) == HALF:
                        info.type.tensor_type.elem_type = FLOAT
        _convert_ends(model.graph)
        return model


def _kind(info: ValueInfoProto) -> int:
    return info.type.tensor_type.elem_type


def _retype(node: NodeProto) -> None:
    for attribute in node.attribute:
        if attribute.name in KINDS and attribute.i == HALF and node.domain in DEFAULT_DOMAIN:
            attribute.i = FLOAT


def _convert_ends(graph: GraphProto) -> None:
    """A Cast behind each float16 input and before each float16 output."""
    stored = {tensor.name for tensor in graph.initializer}
    entering = [each for each in graph.input if _kind(each) == HALF and each.name not in stored]
    leaving = [each.name for each in graph.output if _kind(each) == HALF]
    for info in graph.input:
        if _kind(info) == HALF and info.name in stored:
            info.type.tensor_type.elem_type = FLOAT
    renamed = {name: f"{name}/wide" for name in (*(each.name for each in entering), *leaving)}
    for node in _every_node(graph):
        for names in (node.input, node.output):
            names[:] = [renamed.get(name, name) for name in names]
    for inner in (each for each in all_graphs(graph) if each is not graph):
        for output in inner.output:
            output.name = renamed.get(output.name, output.name)
    first = [_cast(each.name, renamed[each.name], FLOAT) for each in entering]
    last = [_cast(renamed[name], name, HALF) for name in leaving]
    for tensor in graph.initializer:
        tensor.name = renamed.get(tensor.name, tensor.name)
    nodes = [*first, *graph.node, *last]
    copies = [NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del graph.node[:]
    graph.node.extend(copies)


def _every_node(graph: GraphProto) -> Iterator[NodeProto]:
    for node in graph.node:
        yield node
        for inner in subgraphs(node):
            yield from _every_node(inner)


def _cast(source: str, target: str, kind: int) -> NodeProto:
    return helper.make_node("Cast", [source], [target], name=f"{target}/cast", to=kind)
