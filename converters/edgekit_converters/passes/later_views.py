"""Moves Reshape, Squeeze and Unsqueeze behind elementwise operators, where they meet and cancel."""

from dataclasses import dataclass

from onnx import ModelProto, NodeProto

from edgekit_converters.graph import copy_of_node
from edgekit_converters.passes.dead_ends import remove_unread
from edgekit_converters.passes.draft import Draft, is_op
from edgekit_converters.passes.views import VIEWS

UNARY = (
    "Relu", "LeakyRelu", "Elu", "Selu", "Sigmoid", "HardSigmoid", "HardSwish", "Tanh", "Softplus",
    "Gelu", "Erf", "Exp", "Log", "Sqrt", "Reciprocal", "Neg", "Abs", "Sign", "Floor", "Ceil",
    "Round", "Sin", "Cos", "Not", "Cast", "Clip",
)  # fmt: skip
BINARY = ("Add", "Sub", "Mul", "Div", "Pow", "Min", "Max", "Greater", "Less", "Equal")


@dataclass(frozen=True)
class LaterViews:
    """A run of ones at the end of a shape costs too: onnxruntime's broadcasting goes by it."""

    name: str = "later-views"
    tolerance: float = 1e-5  # the runtime may fuse what it now sees

    def unneeded(self, model: ModelProto) -> str | None:
        """Always worth a look."""
        return None

    def apply(self, model: ModelProto) -> ModelProto:
        """One sweep, front to back: a view that moved once moves on."""
        draft = Draft(model)
        kept: list[NodeProto] = []
        views: dict[str, NodeProto] = {}
        for node in draft.nodes:
            view = _view_before(draft, node, views)
            if view is None:
                kept.append(node)
                if is_op(node, *VIEWS) and draft.array(node.input[0]) is None:
                    views[node.output[0]] = node
                continue
            moved, after = copy_of_node(node), copy_of_node(view)
            early = draft.fresh(f"{node.output[0]}_early")
            for index, name in enumerate(node.input):
                if name == view.output[0]:
                    moved.input[index] = view.input[0]
            moved.output[0] = after.input[0] = early
            after.output[0] = node.output[0]
            after.name = draft.fresh(f"{view.name or 'view'}_later")
            kept += [moved, after]
            views[node.output[0]] = after
        draft.finish(kept)
        remove_unread(model)
        return model


def _view_before(draft: Draft, node: NodeProto, views: dict[str, NodeProto]) -> NodeProto | None:
    """The view that an elementwise node reads as the only one."""
    if is_op(node, *UNARY):
        flowing = {node.input[0]}
        scalars = list(node.input[1:])
    elif is_op(node, *BINARY):
        flowing = {name for name in node.input if draft.array(name) is None}
        scalars = [name for name in node.input if draft.array(name) is not None]
    else:
        return None
    if len(flowing) != 1 or any(name and draft.shape(name) != () for name in scalars):
        return None
    name = flowing.pop()
    view = views.get(name)
    return view if view is not None and draft.sole_reader(name) is not None else None
