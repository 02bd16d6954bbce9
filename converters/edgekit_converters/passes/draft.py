"""A graph under rewriting: who makes and reads each tensor, what is known of it, free names."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np
import onnx
from onnx import ModelProto, NodeProto

from edgekit.engines import Array
from edgekit_converters.graph import (
    DEFAULT_DOMAIN,
    all_graphs,
    attribute,
    constants,
    copy_of_node,
    reads,
)

Dim: TypeAlias = int | str | None
Shape: TypeAlias = tuple[Dim, ...]


class Draft:
    """A model's main graph with its wiring. `finish` writes the new node list back.

    What inner graphs (of If, Loop, Scan) read counts as read here; their nodes are not rewritten.
    """

    def __init__(self, model: ModelProto) -> None:
        self.model = model
        self.graph = model.graph
        self.nodes: list[NodeProto] = list(model.graph.node)
        self.shapes, self.types = inferred(model)
        self._constants = constants(model.graph)
        self.makers = {name: node for node in self.nodes for name in node.output if name}
        self._readers: dict[str, list[NodeProto]] = {}
        for node in self.nodes:
            for name in set(reads(node)):
                self._readers.setdefault(name, []).append(node)
        self.outputs = frozenset(output.name for output in self.graph.output)
        self._taken = _names(model)
        self._stored: dict[tuple[object, ...], str] = {}

    def array(self, name: str) -> Array | None:
        """The value of a stored tensor, None where it is computed or an input."""
        tensor = self._constants.get(name)
        return None if tensor is None else onnx.numpy_helper.to_array(tensor)

    def single(self, name: str) -> float | None:
        """The value of a stored tensor of one number."""
        array = self.array(name)
        if array is None or array.size != 1 or array.dtype.kind not in "fiu":
            return None
        return float(array.reshape(()))

    def shape(self, name: str) -> Shape | None:
        """The shape of a tensor as far as it is known; a stored one's is always."""
        tensor = self._constants.get(name)
        return self.shapes.get(name) if tensor is None else tuple(tensor.dims)

    def static_shape(self, name: str) -> tuple[int, ...] | None:
        """The shape where every size is a known number."""
        shape = self.shape(name)
        if shape is None:
            return None
        sizes = tuple(size for size in shape if isinstance(size, int))
        return sizes if len(sizes) == len(shape) else None

    def sole_reader(self, name: str) -> NodeProto | None:
        """The only node that reads a tensor; None where others do, or it is an output."""
        found = self._readers.get(name, [])
        return found[0] if len(found) == 1 and name not in self.outputs else None

    def fresh(self, hint: str) -> str:
        """A name that nothing has."""
        name, number = hint, 0
        while name in self._taken:
            number += 1
            name = f"{hint}_{number}"
        self._taken.add(name)
        return name

    def store(self, array: Array, hint: str) -> str:
        """Keep an array as an initializer; equal ones are kept once."""
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._stored:
            name = self.fresh(hint)
            tensor = onnx.numpy_helper.from_array(np.ascontiguousarray(array), name)
            tensor.dims[:] = array.shape  # ascontiguousarray makes a scalar a vector
            self.graph.initializer.append(tensor)
            self._constants[name] = tensor
            self._stored[key] = name
        return self._stored[key]

    def integers(self, values: Iterable[int], hint: str) -> str:
        """Keep sizes, axes or the like."""
        return self.store(np.array(list(values), np.int64), hint)

    def alias(self, name: str, source: str, renamed: dict[str, str]) -> bool:
        """Note that `name` is to be read as `source`; False where both names are bound.

        An output of the model keeps its name: its source takes it.
        """
        source = _followed(source, renamed)
        if name not in self.outputs:
            renamed[name] = source
        elif source in self.makers and source not in self.outputs:
            renamed[source] = name
        else:
            return False
        return True

    def finish(self, nodes: Iterable[NodeProto], renamed: Mapping[str, str] | None = None) -> None:
        """Write the node list back, tensors called what `renamed` says."""
        kept = [copy_of_node(node) for node in nodes]
        if renamed:
            final = {name: _followed(name, renamed) for name in renamed}
            for node in kept:
                _reread(node, final)
        del self.graph.node[:]
        self.graph.node.extend(kept)
        made = {name for node in kept for name in node.output}
        made |= {each.name for each in self.graph.input}
        for index in reversed(range(len(self.graph.value_info))):
            if self.graph.value_info[index].name not in made:
                del self.graph.value_info[index]


def is_op(node: NodeProto | None, *operators: str) -> bool:
    """Whether a node is one of these standard operators."""
    return node is not None and node.domain in DEFAULT_DOMAIN and node.op_type in operators


def axes_of(draft: Draft, node: NodeProto, rank: int) -> tuple[int, ...] | None:
    """The axes that a node names, from 0 up, in its attribute (older opsets) or second input."""
    given: Any = attribute(node, "axes")
    if given is None and len(node.input) > 1 and node.input[1]:
        array = draft.array(node.input[1])
        given = None if array is None else array.reshape(-1).tolist()
    return None if given is None else tuple(sorted(int(axis) % rank for axis in given))


def inferred(model: ModelProto) -> tuple[dict[str, Shape], dict[str, int]]:
    """Shapes and element types by tensor name, as far as onnx's inference finds them."""
    try:
        found: Any = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    except Exception:  # an operator it does not know, or more bytes than it takes
        found = model.graph
    shapes: dict[str, Shape] = {}
    types: dict[str, int] = {}
    for info in (*found.value_info, *found.input, *found.output):
        tensor = info.type.tensor_type
        types[info.name] = tensor.elem_type
        if tensor.HasField("shape"):
            shapes[info.name] = tuple(_dim(each) for each in tensor.shape.dim)
    for stored in found.initializer:
        types[stored.name] = stored.data_type
    return shapes, types


def _dim(dim: onnx.TensorShapeProto.Dimension) -> Dim:
    if dim.HasField("dim_value"):
        return int(dim.dim_value)
    return dim.dim_param or None


def _names(model: ModelProto) -> set[str]:
    names: set[str] = set()
    for graph in all_graphs(model.graph):
        for node in graph.node:
            names.update((*node.input, *node.output, node.name))
        for held in (graph.input, graph.output, graph.initializer):
            names.update(each.name for each in held)
    return names


def _followed(name: str, renamed: Mapping[str, str]) -> str:
    while name in renamed:
        name = renamed[name]
    return name


def _reread(node: NodeProto, renamed: Mapping[str, str]) -> None:
    for names in (node.input, node.output):
        for index, name in enumerate(names):
            if name in renamed:
                names[index] = renamed[name]
    for each in node.attribute:
        for graph in (*([each.g] if each.HasField("g") else []), *each.graphs):
            for inner in graph.node:
                _reread(inner, renamed)
