"""Follows channels through a graph: which axis of which tensor holds which unit.

Rules know the operators. What no rule understands freezes every unit it reads, with the reason;
that part of the model stays as it is.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, TensorProto, helper

from edgekit.engines import Array, open_engine
from edgekit_converters.graph import DEFAULT_DOMAIN, copy_of, float_tensors, reads
from edgekit_converters.prune.units import Ids, Units

Axes: TypeAlias = tuple[Ids | None, ...]
"""For each axis of a tensor its units, None where the axis keeps its size."""
Shape: TypeAlias = tuple[int, ...]
Rule: TypeAlias = Callable[[NodeProto, "Trace"], None]
SHAPE = "/edgekit/shape"


class UnclearError(Exception):
    """A rule does not understand a node; the text says what."""


@dataclass(frozen=True)
class Mixer:
    """A node that mixes channels with a stored weight: where one that goes is missed.

    Attributes:
        node: the operator.
        source: the tensor it reads.
        weight: its stored weight.
        in_axis: of the weight, over channels read.
        out_axis: of the weight, over channels written.
        inputs: units of the channels read, None where they keep their number.
        outputs: units of the channels written.
        groups: of a grouped convolution, 1 otherwise.
    """

    node: NodeProto
    source: str
    weight: str
    in_axis: int
    out_axis: int
    inputs: Ids | None
    outputs: Ids
    groups: int = 1

    @property
    def output(self) -> str:
        """The tensor it writes."""
        return self.node.output[0]

    @property
    def channel_axis(self) -> int:
        """Of the tensors it reads and writes."""
        return -1 if self.node.op_type in ("Gemm", "MatMul") else 1

    @property
    def has_bias(self) -> bool:
        """Whether the layer can take over what a channel brings on average."""
        return len(self.node.input) > 2 and bool(self.node.input[2])


@dataclass
class Trace:
    """What is known while the graph is walked in order.

    Attributes:
        shapes: of every tensor whose shape is known, on one real input.
        constants: stored tensors by name.
        opset: of the model.
        consumers: nodes that read a tensor.
        units: every unit.
        axes: of every tensor passed so far, stored or computed.
        mixers: in the order of the graph.
        templates: for each Reshape, by its output, a stored shape that says the same: 0 copies
            the size of an axis, -1 takes what is left.
    """

    shapes: Mapping[str, Shape]
    constants: Mapping[str, TensorProto]
    opset: int
    consumers: Mapping[str, Sequence[NodeProto]]
    units: Units = field(default_factory=Units)
    axes: dict[str, Axes] = field(default_factory=dict)
    mixers: list[Mixer] = field(default_factory=list)
    templates: dict[str, list[int]] = field(default_factory=dict)

    def shape(self, name: str) -> Shape:
        """Of a tensor.

        Raises:
            UnclearError: nobody knows.
        """
        if name in self.constants:
            return tuple(self.constants[name].dims)
        if name not in self.shapes:
            raise UnclearError(f"the shape of {name!r} is not known")
        return self.shapes[name]

    def flowing(self, name: str) -> Axes:
        """Axes of a tensor that is computed.

        Raises:
            UnclearError: it is stored, or its shape is not known.
        """
        if name in self.constants:
            raise UnclearError(f"{name!r} is stored, not computed")
        return self.axes.get(name) or (None,) * len(self.shape(name))

    def value(self, name: str) -> Array:
        """A stored tensor.

        Raises:
            UnclearError: it is computed.
        """
        if name not in self.constants:
            raise UnclearError(f"{name!r} is computed, not stored")
        return onnx.numpy_helper.to_array(self.constants[name])

    def claim(self, name: str, axes: Axes) -> None:
        """Use a stored tensor: its axes shrink with these units, or keep their size."""
        if name not in self.constants:
            raise UnclearError(f"{name!r} is computed, not stored")
        before = self.axes.setdefault(name, axes)
        self.meet(before, axes, f"{name!r} is also used where it keeps its size")

    def meet(self, first: Axes, second: Axes, reason: str) -> Axes:
        """Two views of the same axes: units are tied, or frozen where one has none."""
        for one, other in zip(first, second, strict=True):
            if one is not None and other is not None:
                self.units.tie(one, other)
            elif one is not None or other is not None:
                self.freeze((one, other), reason)
        return first

    def freeze(self, axes: Sequence[Ids | None], reason: str) -> None:
        """All units of some axes stay."""
        for ids in axes:
            if ids is not None:
                self.units.freeze(ids, reason)

    def give_up(self, node: NodeProto, reason: str) -> None:
        """Freeze all that a node reads; what it writes keeps its size."""
        for name in reads(node):
            if name in self.constants:
                self.claim(name, (None,) * len(self.constants[name].dims))
            else:
                self.freeze(self.axes.get(name, ()), reason)
        for name in filter(None, node.output):
            self.freeze(self.axes.pop(name, ()), reason)


def follow(model: ModelProto, feeds: Mapping[str, Array], rules: Mapping[str, Rule]) -> Trace:
    """Walk a clean model.

    Args:
        model: its constants are initializers, its nodes are in order.
        feeds: one real input, for the shapes.
        rules: by operator of the default domain.
    """
    graph = model.graph
    consumers: dict[str, list[NodeProto]] = {}
    for node in graph.node:
        for name in reads(node):
            consumers.setdefault(name, []).append(node)
    trace = Trace(
        shapes=seen_shapes(model, feeds),
        constants={tensor.name: tensor for tensor in graph.initializer},
        opset=max(entry.version for entry in model.opset_import if entry.domain in DEFAULT_DOMAIN),
        consumers=consumers,
    )
    for node in graph.node:
        rule = rules.get(node.op_type) if node.domain in DEFAULT_DOMAIN else None
        where = f"{node.op_type} {node.output[0]!r}"
        if rule is None:
            trace.give_up(node, f"{where} is not understood")
            continue
        try:
            rule(node, trace)
        except UnclearError as unclear:
            trace.give_up(node, f"{where}: {unclear}")
    for output in graph.output:
        trace.freeze(trace.axes.get(output.name, ()), f"it reaches the output {output.name!r}")
    return trace


def seen_shapes(model: ModelProto, feeds: Mapping[str, Array]) -> dict[str, Shape]:
    """Shapes of all tensors on one real input: inferred, and asked of the runtime where not."""
    shapes = inferred_shapes(model, feeds)
    asked = sorted(float_tensors(model) - shapes.keys())
    asking = copy_of(model)
    for name in asked:
        asking.graph.node.append(helper.make_node("Shape", [name], [name + SHAPE]))
        info = helper.make_tensor_value_info(name + SHAPE, TensorProto.INT64, None)
        asking.graph.output.append(info)
    engine = open_engine("onnxruntime", asking.SerializeToString())
    try:
        found = engine.run(feeds)
    finally:
        engine.close()
    return shapes | {name: tuple(found[name + SHAPE].tolist()) for name in asked}


def inferred_shapes(model: ModelProto, feeds: Mapping[str, Array]) -> dict[str, Shape]:
    """Shapes that follow from the shapes of one input."""
    fixed = copy_of(model)
    del fixed.graph.value_info[:]
    for info in fixed.graph.input:
        del info.type.tensor_type.shape.dim[:]
        for size in feeds[info.name].shape:
            info.type.tensor_type.shape.dim.add().dim_value = size
    for info in fixed.graph.output:
        info.type.tensor_type.ClearField("shape")
    inferred = onnx.shape_inference.infer_shapes(fixed, data_prop=True).graph
    shapes = {}
    for info in (*inferred.input, *inferred.value_info, *inferred.output):
        if info.type.tensor_type.HasField("shape"):
            dims = info.type.tensor_type.shape.dim
            if all(dim.HasField("dim_value") for dim in dims):
                shapes[info.name] = tuple(dim.dim_value for dim in dims)
    return shapes


def tile(ids: Ids, before: int, after: int) -> Ids:
    """Units of an axis as they stand in a flattened run of axes, in row-major order."""
    return np.tile(np.repeat(ids, after), before)
