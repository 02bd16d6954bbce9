"""Writes a Gather of one place as a Slice and a Squeeze, which cancels with what puts it back."""

from dataclasses import dataclass

from onnx import ModelProto, NodeProto, helper

from edgekit_converters.graph import attribute, opset
from edgekit_converters.passes.dead_ends import remove_unread
from edgekit_converters.passes.draft import Draft, is_op
from edgekit_converters.passes.views import VIEWS


@dataclass(frozen=True)
class KeptAxes:
    """A recurrent state is often taken apart with Gather and stood up again with Unsqueeze."""

    name: str = "kept-axes"
    tolerance: float = 1e-5  # the runtime may fuse what it now sees

    def unneeded(self, model: ModelProto) -> str | None:
        """Not where axes of a Squeeze are no tensor."""
        return "before opset 13 axes are not a tensor" if opset(model) < 13 else None

    def apply(self, model: ModelProto) -> ModelProto:
        """Only where a view follows."""
        draft = Draft(model)
        kept: list[NodeProto] = []
        for node in draft.nodes:
            place = _place(draft, node)
            kept += [node] if place is None else _sliced(draft, node, place)
        draft.finish(kept)
        remove_unread(model)
        return model


def _place(draft: Draft, node: NodeProto) -> int | None:
    """The one place that a node gathers."""
    if not is_op(node, "Gather") or draft.array(node.input[0]) is not None:
        return None
    index, shape = draft.array(node.input[1]), draft.shape(node.input[0])
    if index is None or index.shape != () or not shape:
        return None
    size = shape[attribute(node, "axis", 0)]
    if not isinstance(size, int) or not is_op(draft.sole_reader(node.output[0]), *VIEWS):
        return None
    return int(index) % size


def _sliced(draft: Draft, node: NodeProto, place: int) -> list[NodeProto]:
    rank = len(draft.shape(node.input[0]) or ())
    axis = draft.integers([attribute(node, "axis", 0) % rank], "kept_axis")
    bounds = [draft.integers([each], "kept_bound") for each in (place, place + 1)]
    part = draft.fresh(f"{node.output[0]}_kept")
    return [
        helper.make_node("Slice", [node.input[0], *bounds, axis], [part], name=node.name),
        helper.make_node(
            "Squeeze", [part, axis], list(node.output), name=draft.fresh(f"{part}_squeezed")
        ),
    ]
