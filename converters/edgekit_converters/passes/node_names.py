"""Gives every node of a graph a name of its own: quantizers choose nodes by name."""

from dataclasses import dataclass

from onnx import GraphProto, ModelProto

from edgekit_converters.graph import all_graphs


@dataclass(frozen=True)
class NodeNames:
    """Names that are there and unique stay."""

    name: str = "node-names"
    tolerance: float = 0.0

    def unneeded(self, model: ModelProto) -> str | None:
        """Not where all have one."""
        names = [node.name for node in model.graph.node]
        return "every node has its own" if len(set(names) - {""}) == len(names) else None

    def apply(self, model: ModelProto) -> ModelProto:
        """Name in place, by operator and position."""
        rename(model.graph, {""})
        return model


def part_names(model: ModelProto) -> None:
    """Rename nodes that share a name, in place: onnxruntime loads no such graph."""
    for graph in all_graphs(model.graph):
        rename(graph, set())


def rename(graph: GraphProto, seen: set[str]) -> None:
    """Name the nodes whose name was seen before, by operator and position."""
    taken = {node.name for node in graph.node}
    for position, node in enumerate(graph.node):
        if node.name in seen:
            node.name = f"{node.op_type}_{position}"
            while node.name in taken:
                node.name += "_"
            taken.add(node.name)
        if node.name:
            seen.add(node.name)
