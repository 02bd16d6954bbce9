"""Runs of Reshape, Squeeze and the like, which only rename the axes: one of them, or none."""

from dataclasses import dataclass

from onnx import ModelProto, NodeProto, helper

from edgekit_converters.graph import attribute
from edgekit_converters.passes.dead_ends import remove_unread
from edgekit_converters.passes.draft import Draft, Shape, axes_of, is_op

VIEWS = ("Reshape", "Squeeze", "Unsqueeze", "Flatten", "Identity")
MEANS = ("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin")


@dataclass(frozen=True)
class Views:
    """Each costs the runtime about a microsecond, whatever it holds."""

    name: str = "views"
    tolerance: float = 1e-5  # the runtime may fuse what it now sees

    def unneeded(self, model: ModelProto) -> str | None:
        """Not for an operator set whose Reshape takes no tensor."""
        return None

    def apply(self, model: ModelProto) -> ModelProto:
        """Point each view at the tensor that its run starts from."""
        draft = Draft(model)
        renamed: dict[str, str] = {}
        kept: list[NodeProto] = []
        for node in draft.nodes:
            root, length = _root(draft, node)
            name = node.output[0] if node.output else ""
            if length and _alike(draft.shape(root), draft.shape(name)):
                if draft.alias(name, root, renamed):
                    continue
            elif length > 1 and (sizes := _target(draft.shape(name))) is not None:
                shape = draft.integers(sizes, f"{name}_shape")
                node = helper.make_node("Reshape", [root, shape], [name], name=node.name)  # noqa: PLW2901
            kept.append(node)
        draft.finish(kept, renamed)
        remove_unread(model)
        return model


def _root(draft: Draft, node: NodeProto | None) -> tuple[str, int]:
    """The tensor that a run of views ending in this node starts from, and the run's length."""
    length, name = 0, ""
    while node is not None and _is_view(draft, node):
        length, name = length + 1, node.input[0]
        node = draft.makers.get(name)
    return name, length


def _is_view(draft: Draft, node: NodeProto) -> bool:
    """Whether the output holds the input's numbers in the same order."""
    if is_op(node, *VIEWS):
        return draft.array(node.input[0]) is None
    shape = draft.static_shape(node.input[0]) if node.input else None
    if shape is None:
        return False
    if is_op(node, "Transpose"):
        order = attribute(node, "perm") or range(len(shape))[::-1]
        moved = [axis for axis in order if shape[axis] != 1]
        return moved == sorted(moved)
    if is_op(node, *MEANS):
        axes = axes_of(draft, node, len(shape))
        return bool(axes) and all(shape[axis] == 1 for axis in axes or ())
    return False


def _alike(one: Shape | None, other: Shape | None) -> bool:
    return one is not None and one == other and None not in one


def _target(shape: Shape | None) -> tuple[int, ...] | None:
    """What to tell Reshape: one size at most may be unknown."""
    if shape is None or 0 in shape:
        return None
    sizes = tuple(size if isinstance(size, int) else -1 for size in shape)
    return sizes if sizes.count(-1) <= 1 else None
