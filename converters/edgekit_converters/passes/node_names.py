"""Gives every node of the main graph a name of its own: quantizers choose nodes by name."""

from dataclasses import dataclass

from onnx import ModelProto


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
        taken = {node.name for node in model.graph.node}
        seen: set[str] = {""}
        for position, node in enumerate(model.graph.node):
            if node.name in seen:
                node.name = f"{node.op_type}_{position}"
                while node.name in taken:
                    node.name += "_"
                taken.add(node.name)
            seen.add(node.name)
        return model
