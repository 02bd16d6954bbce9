"""Writes 1-D convolutions as 2-D ones of height 1, which the runtime has its fast kernels for."""

from dataclasses import dataclass
from typing import Any

from onnx import ModelProto, NodeProto, helper

from edgekit_converters.graph import attribute, copy_of_node, opset
from edgekit_converters.passes.activations import with_activations
from edgekit_converters.passes.dead_ends import remove_unread
from edgekit_converters.passes.draft import Draft, is_op

AXIS = 2


@dataclass(frozen=True)
class PlanarConvolutions:
    """onnxruntime's blocked layout (NCHWc) takes rank 4 only; 1-D goes through im2col."""

    name: str = "planar-convolutions"
    tolerance: float = 1e-4

    def unneeded(self, model: ModelProto) -> str | None:
        """Not without a 1-D convolution of known weights."""
        if opset(model) < 13:
            return "before opset 13 axes are not a tensor"
        draft = Draft(model)
        found = any(_is_linear(draft, node) for node in draft.nodes)
        return None if found else "it has no 1-D convolution"

    def apply(self, model: ModelProto) -> ModelProto:
        """Each between an Unsqueeze and a Squeeze; between two of them, both cancel later."""
        draft = Draft(model)

        def rewrite(node: NodeProto, activation: NodeProto | None) -> list[NodeProto] | None:
            return _planar(draft, node, activation) if _is_linear(draft, node) else None

        draft.finish(with_activations(draft, rewrite))
        remove_unread(model)
        return model


def _is_linear(draft: Draft, node: NodeProto) -> bool:
    if not is_op(node, "Conv"):
        return False
    weight = draft.array(node.input[1])
    return weight is not None and weight.ndim == 3 and str(weight.dtype) == "float32"


def _planar(draft: Draft, node: NodeProto, activation: NodeProto | None) -> list[NodeProto]:
    source, weight, *bias = node.input
    array = draft.array(weight)
    if array is None:  # _is_linear asked
        return [node]
    flat = draft.store(array[:, :, None, :], f"{weight}_planar")
    axis = draft.integers([AXIS], "planar_axis")
    result = (activation or node).output[0]
    tall, wide = draft.fresh(f"{source}_planar"), draft.fresh(f"{node.output[0]}_planar")
    nodes = [
        helper.make_node("Unsqueeze", [source, axis], [tall], name=draft.fresh(f"{tall}_in")),
        helper.make_node(
            "Conv", [tall, flat, *bias], [wide], name=node.name, **_settings(node, array.shape[2])
        ),
    ]  # fmt: skip
    if activation is not None:
        active = draft.fresh(f"{result}_planar")
        moved = copy_of_node(activation)
        moved.input[0], moved.output[0] = wide, active
        nodes.append(moved)
        wide = active
    nodes.append(
        helper.make_node("Squeeze", [wide, axis], [result], name=draft.fresh(f"{result}_out"))
    )
    return nodes


def _settings(node: NodeProto, width: int) -> dict[str, Any]:
    """A 1-D convolution's attributes for a height of 1."""
    begin, end = attribute(node, "pads") or (0, 0)
    found: dict[str, Any] = {
        "kernel_shape": [1, width],
        "strides": [1, *(attribute(node, "strides") or [1])],
        "dilations": [1, *(attribute(node, "dilations") or [1])],
        "group": attribute(node, "group", 1),
    }
    automatic = attribute(node, "auto_pad", b"NOTSET")
    if automatic in (b"NOTSET", b""):
        return found | {"pads": [0, begin, 0, end]}
    return found | {"auto_pad": automatic.decode()}
