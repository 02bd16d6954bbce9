"""How channels pass through operators that compute on each for itself, or look across them."""

from collections.abc import Mapping

from onnx import NodeProto

from edgekit_converters.graph import attribute
from edgekit_converters.prune.layout import (
    concat,
    gather,
    pad,
    regroup,
    resize,
    shape_of,
    slice_,
    split,
    transpose,
)
from edgekit_converters.prune.trace import Rule, Trace, UnclearError
from edgekit_converters.prune.units import Ids
from edgekit_converters.prune.weighted import batch_norm, conv, conv_transpose, gemm, matmul

AXIS_OPSET = 13
"""Since this one Softmax looks along one axis; before, along all from its axis on."""


def unary(node: NodeProto, trace: Trace) -> None:
    """The first input value by value; other inputs are settings."""
    axes = trace.flowing(node.input[0])
    for name in filter(None, node.input[1:]):
        trace.claim(name, (None,) * len(trace.shape(name)))
    trace.axes[node.output[0]] = axes
    for name in node.output[1:]:
        if trace.consumers.get(name):
            trace.freeze(axes, f"{node.op_type} {node.output[0]!r} has two outputs")


def elementwise(node: NodeProto, trace: Trace) -> None:
    """Several inputs value by value, smaller ones repeated as NumPy does."""
    shape = trace.shape(node.output[0])
    result = tuple(_joined(node, trace, axis, shape) for axis in range(len(shape)))
    for name in filter(None, node.input):
        if name in trace.constants:
            offset = len(shape) - len(trace.shape(name))
            own = enumerate(trace.shape(name), offset)
            trace.claim(name, tuple(result[axis] if size > 1 else None for axis, size in own))
    trace.axes[node.output[0]] = result


def _joined(node: NodeProto, trace: Trace, axis: int, shape: tuple[int, ...]) -> Ids | None:
    """Units of one output axis: those of all computed inputs, tied."""
    joined: list[Ids | None] = []
    for name in filter(None, node.input):
        own = axis - (len(shape) - len(trace.shape(name)))
        if name in trace.constants or own < 0:
            continue
        ids = trace.flowing(name)[own]
        if trace.shape(name)[own] == shape[axis]:
            joined.append(ids)
        elif ids is not None:
            trace.freeze([ids], f"{node.op_type} {node.output[0]!r} repeats it")
    if not joined:
        return None
    reason = f"{node.op_type} {node.output[0]!r} meets it with a tensor that keeps its size"
    for other in joined[1:]:
        trace.meet((joined[0],), (other,), reason)
    return joined[0]


def pool(node: NodeProto, trace: Trace) -> None:
    """Each channel for itself; the rest of the axes keep what they have: nothing."""
    axes = trace.flowing(node.input[0])
    trace.freeze(axes[2:], f"{node.op_type} {node.output[0]!r} pools along it")
    if len(node.output) > 1 and node.output[1]:
        raise UnclearError("it also returns indices")
    trace.axes[node.output[0]] = (*axes[:2], *(None for _ in axes[2:]))


def reduce(node: NodeProto, trace: Trace) -> None:
    """The axes it reduces stay."""
    axes = trace.flowing(node.input[0])
    if len(node.input) > 1 and node.input[1]:
        chosen = trace.value(node.input[1]).tolist()
    else:
        chosen = attribute(node, "axes") or range(len(axes))
    reduced = {axis % len(axes) for axis in chosen}
    where = f"{node.op_type} {node.output[0]!r} looks across it"
    trace.freeze([axes[axis] for axis in reduced], where)
    left = [None if axis in reduced else ids for axis, ids in enumerate(axes)]
    if not attribute(node, "keepdims", 1):
        left = [ids for axis, ids in enumerate(left) if axis not in reduced]
    trace.axes[node.output[0]] = tuple(left)


def softmax(node: NodeProto, trace: Trace) -> None:
    """The axis it sums over stays."""
    axes = trace.flowing(node.input[0])
    is_new = trace.opset >= AXIS_OPSET
    axis = attribute(node, "axis", -1 if is_new else 1) % len(axes)
    seen = axes[axis : axis + 1] if is_new else axes[axis:]
    trace.freeze(seen, f"{node.op_type} {node.output[0]!r} looks across it")
    trace.axes[node.output[0]] = axes


def layer_norm(node: NodeProto, trace: Trace) -> None:
    """The axes whose mean it takes stay."""
    axes = trace.flowing(node.input[0])
    axis = attribute(node, "axis", -1)
    trace.freeze(axes[axis % len(axes) :], f"{node.op_type} {node.output[0]!r} looks across it")
    for name in filter(None, node.input[1:]):
        trace.claim(name, (None,) * len(trace.shape(name)))
    trace.axes[node.output[0]] = axes


def instance_norm(node: NodeProto, trace: Trace) -> None:
    """Each channel for itself, with a scale and a bias of its own."""
    axes = trace.flowing(node.input[0])
    trace.freeze(axes[2:], f"InstanceNormalization {node.output[0]!r} looks across it")
    for name in node.input[1:]:
        trace.claim(name, axes[1:2])
    trace.axes[node.output[0]] = axes


UNARY = (
    "Abs", "Cast", "Ceil", "Celu", "Clip", "Cos", "Dropout", "Elu", "Erf", "Exp", "Floor", "Gelu",
    "HardSigmoid", "HardSwish", "Identity", "LeakyRelu", "Log", "Mish", "Neg", "Not", "Reciprocal",
    "Relu", "Round", "Selu", "Sigmoid", "Sign", "Sin", "Softplus", "Softsign", "Sqrt", "Swish",
    "Tanh", "ThresholdedRelu",
)  # fmt: skip
ELEMENTWISE = (
    "Add", "And", "Div", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Max", "Mean",
    "Min", "Mul", "Or", "PRelu", "Pow", "Sub", "Sum", "Where",
)  # fmt: skip
POOLS = ("AveragePool", "GlobalAveragePool", "GlobalLpPool", "GlobalMaxPool", "LpPool", "MaxPool")
REDUCTIONS = (
    "ReduceL1", "ReduceL2", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum",
    "ReduceSumSquare",
)  # fmt: skip

RULES: Mapping[str, Rule] = {
    **dict.fromkeys(UNARY, unary),
    **dict.fromkeys(ELEMENTWISE, elementwise),
    **dict.fromkeys(POOLS, pool),
    **dict.fromkeys(REDUCTIONS, reduce),
    **dict.fromkeys(("Flatten", "Reshape", "Squeeze", "Unsqueeze"), regroup),
    "BatchNormalization": batch_norm,
    "Concat": concat,
    "Conv": conv,
    "ConvTranspose": conv_transpose,
    "Gather": gather,
    "Gemm": gemm,
    "InstanceNormalization": instance_norm,
    "LayerNormalization": layer_norm,
    "LogSoftmax": softmax,
    "MatMul": matmul,
    "Pad": pad,
    "Resize": resize,
    "Shape": shape_of,
    "Slice": slice_,
    "Softmax": softmax,
    "Split": split,
    "Transpose": transpose,
}
"""Operators of the default domain whose channels can be followed."""
