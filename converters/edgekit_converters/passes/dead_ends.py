"""Removes nodes and weights that no output depends on, and constants posing as inputs."""

from dataclasses import dataclass

from onnx import ModelProto

from edgekit_converters.graph import reads


@dataclass(frozen=True)
class DeadEnds:
    """Exporters leave these behind; they cost size, load time, and confuse quantizers.

    Before ONNX IR 4 a weight had to be listed as an input too, which keeps a runtime from folding
    it. Such inputs go; the weight stays.
    """

    name: str = "dead-ends"
    tolerance: float = 1e-5  # a constant can be folded where an input could not

    def unneeded(self, model: ModelProto) -> str | None:
        """Always worth a look."""
        return None

    def apply(self, model: ModelProto) -> ModelProto:
        """Remove in place."""
        remove_unread(model)
        weights_are_no_inputs(model)
        return model


def weights_are_no_inputs(model: ModelProto) -> None:
    """Take stored weights out of the inputs, in place; the runtime asks for no such input."""
    graph = model.graph
    stored = {tensor.name for tensor in graph.initializer}
    for index in reversed(range(len(graph.input))):
        if graph.input[index].name in stored:
            del graph.input[index]
            model.ir_version = max(model.ir_version, 4)


def remove_unread(model: ModelProto) -> None:
    """Remove the nodes and stored tensors that no output depends on, in place."""
    graph = model.graph
    wanted = {output.name for output in graph.output}
    for node in reversed(graph.node):
        if wanted.intersection(node.output):
            wanted.update(reads(node))
    for index in reversed(range(len(graph.node))):
        if not wanted.intersection(graph.node[index].output):
            del graph.node[index]
    for index in reversed(range(len(graph.initializer))):
        if graph.initializer[index].name not in wanted:
            del graph.initializer[index]
    for index in reversed(range(len(graph.sparse_initializer))):
        if graph.sparse_initializer[index].values.name not in wanted:
            del graph.sparse_initializer[index]
