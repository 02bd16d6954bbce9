"""Stored float tensors of a model under repair: read, and replaced for one reader only."""

from collections import Counter

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, numpy_helper

from edgekit_converters.graph import constants, reads

Floats32 = NDArray[np.float32]


class Stored:
    """Reads and replaces; a tensor with several readers is copied for the one that changes it."""

    def __init__(self, model: ModelProto) -> None:
        self._model = model
        self._tensors = constants(model.graph)
        self._readers = Counter(name for node in model.graph.node for name in reads(node))
        self._initializers = {tensor.name: tensor for tensor in model.graph.initializer}

    def get(self, name: str) -> Floats32 | None:
        """A stored float32 tensor, None where there is none of that name."""
        tensor = self._tensors.get(name)
        if tensor is None or tensor.data_type != TensorProto.FLOAT:
            return None
        return numpy_helper.to_array(tensor)

    def put(self, node: NodeProto, place: int, array: Floats32) -> None:
        """Give a node another stored input at a place, which may be one past its last."""
        array = np.ascontiguousarray(array, dtype=np.float32)
        name = node.input[place] if place < len(node.input) else ""
        if name in self._initializers and self._readers[name] == 1:
            made = self._initializers[name]
            made.CopyFrom(numpy_helper.from_array(array, name))
        else:
            self._readers[name] -= 1
            name = f"{node.name}/repaired/{place}"
            made = self._model.graph.initializer.add()
            made.CopyFrom(numpy_helper.from_array(array, name))
            self._initializers[name] = made
            self._readers[name] = 1
            if place < len(node.input):
                node.input[place] = name
            else:
                node.input.append(name)
        self._tensors[name] = made


class Flow:
    """Who makes and who reads each tensor of the main graph; graph outputs count as read."""

    def __init__(self, model: ModelProto) -> None:
        self.maker = {name: node for node in model.graph.node for name in node.output if name}
        self._readers: dict[str, list[NodeProto]] = {}
        for node in model.graph.node:
            for name in dict.fromkeys(reads(node)):
                self._readers.setdefault(name, []).append(node)
        self._outputs = {output.name for output in model.graph.output}

    def readers(self, name: str) -> list[NodeProto] | None:
        """Nodes that read a tensor; None where it also leaves the model."""
        return None if name in self._outputs else self._readers.get(name, [])

    def only_reader(self, name: str) -> NodeProto | None:
        """The one node that reads a tensor, None where there are more, none, or it leaves."""
        found = self.readers(name)
        return found[0] if found is not None and len(found) == 1 else None
