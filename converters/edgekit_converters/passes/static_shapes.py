"""Fixes the sizes that a model leaves open to those that its task uses."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from onnx import GraphProto, ModelProto

from edgekit_converters.passes.contract import Feeds


@dataclass(frozen=True)
class StaticShapes:
    """Where every call has the same sizes, what depends on them can be computed once.

    `If`s on a shape go, reshapes cancel, and the runtime plans its memory. The model then takes
    these sizes only, so this is a form that must pay, not a default.
    """

    feeds: Sequence[Feeds] = field(default=(), repr=False)
    name: str = "static-shapes"
    tolerance: float = 1e-5

    def seeing(self, feeds: Sequence[Feeds]) -> "StaticShapes":
        """The pass that knows these calls."""
        return replace(self, feeds=tuple(feeds))

    def unneeded(self, model: ModelProto) -> str | None:
        """Not where nothing is open, or calls differ."""
        if not self.feeds:
            return "there are no calls to learn sizes from"
        if not _open(model.graph, self._sizes(model)):
            return "no open size has one value in all calls"
        return None

    def apply(self, model: ModelProto) -> ModelProto:
        """Write the sizes into the inputs; what was inferred from open ones goes."""
        sizes = self._sizes(model)
        for each in model.graph.input:
            for axis, dim in enumerate(each.type.tensor_type.shape.dim):
                if (each.name, axis) in sizes:
                    dim.dim_value = sizes[each.name, axis]
        del model.graph.value_info[:]
        for each in model.graph.output:
            for dim in each.type.tensor_type.shape.dim:
                if not dim.HasField("dim_value"):
                    dim.Clear()
        return model

    def _sizes(self, model: ModelProto) -> dict[tuple[str, int], int]:
        """Sizes that all calls agree on, by input and axis."""
        seen: dict[tuple[str, int], set[int]] = {}
        for feed in self.feeds:
            for name, array in feed.items():
                for axis, size in enumerate(array.shape):
                    seen.setdefault((name, axis), set()).add(size)
        return {key: next(iter(found)) for key, found in seen.items() if len(found) == 1}


def _open(graph: GraphProto, sizes: dict[tuple[str, int], int]) -> bool:
    return any(
        not dim.HasField("dim_value") and (each.name, axis) in sizes
        for each in graph.input
        for axis, dim in enumerate(each.type.tensor_type.shape.dim)
    )
