"""How channels pass through operators with stored weights: the old end here, new ones begin."""

from onnx import NodeProto

from edgekit_converters.graph import attribute
from edgekit_converters.prune.trace import Axes, Mixer, Trace, UnclearError
from edgekit_converters.prune.units import Ids


def conv(node: NodeProto, trace: Trace) -> None:
    """Plain, depthwise (channels keep their units) or grouped (units tied across the groups)."""
    axes = trace.flowing(node.input[0])
    weight = trace.shape(_stored(node, trace))
    groups = attribute(node, "group", 1)
    trace.freeze((axes[0], *axes[2:]), f"Conv {node.output[0]!r} looks across it")
    kernel: Axes = (None,) * (len(weight) - 2)
    inputs = axes[1]
    if groups > 1 and weight[1] == 1:
        outputs = _depthwise(node, trace, inputs, weight[0] // groups)
        trace.claim(node.input[1], (outputs, None, *kernel))
    else:
        outputs = trace.units.fresh(weight[0], node.output[0])
        first = _tied(trace, inputs, groups)
        _tied(trace, outputs, groups)
        trace.claim(node.input[1], (outputs, first, *kernel))
        trace.mixers.append(Mixer(node, node.input[0], node.input[1], 1, 0, first, outputs, groups))
    _claim_bias(node, trace, outputs)
    trace.axes[node.output[0]] = (axes[0], outputs, *kernel)


def _depthwise(node: NodeProto, trace: Trace, inputs: Ids | None, multiplier: int) -> Ids | None:
    if inputs is None:
        return None
    outputs: Ids = inputs.repeat(multiplier)
    return outputs


def _tied(trace: Trace, ids: Ids | None, groups: int) -> Ids | None:
    """Channels of the first group, tied to those at the same place of the others."""
    if ids is None or groups == 1:
        return ids
    rows = ids.reshape(groups, -1)
    for row in rows[1:]:
        trace.units.tie(rows[0], row)
    first: Ids = rows[0]
    return first


def conv_transpose(node: NodeProto, trace: Trace) -> None:
    """Its weight has the channels read first."""
    axes = trace.flowing(node.input[0])
    weight = trace.shape(_stored(node, trace))
    if attribute(node, "group", 1) != 1:
        raise UnclearError("it is grouped")
    trace.freeze((axes[0], *axes[2:]), f"ConvTranspose {node.output[0]!r} looks across it")
    kernel: Axes = (None,) * (len(weight) - 2)
    outputs = trace.units.fresh(weight[1], node.output[0])
    trace.claim(node.input[1], (axes[1], outputs, *kernel))
    _claim_bias(node, trace, outputs)
    trace.mixers.append(Mixer(node, node.input[0], node.input[1], 0, 1, axes[1], outputs))
    trace.axes[node.output[0]] = (axes[0], outputs, *kernel)


def gemm(node: NodeProto, trace: Trace) -> None:
    """Rows are samples, columns channels."""
    axes = trace.flowing(node.input[0])
    weight = trace.shape(_stored(node, trace))
    if attribute(node, "transA", 0):
        raise UnclearError("its first input is transposed")
    out_axis = 0 if attribute(node, "transB", 0) else 1
    outputs = trace.units.fresh(weight[out_axis], node.output[0])
    _claim_matrix(node, trace, axes[1], outputs, out_axis)
    if len(node.input) > 2 and node.input[2]:
        shape = trace.shape(node.input[2])
        is_row = bool(shape) and shape[-1] == len(outputs)
        last = (outputs,) if is_row else (None,) * len(shape[-1:])
        trace.claim(node.input[2], ((None,) * len(shape[:-1])) + last)
    trace.axes[node.output[0]] = (axes[0], outputs)


def matmul(node: NodeProto, trace: Trace) -> None:
    """With a stored matrix a layer; of two computed tensors what attention does."""
    if node.input[1] not in trace.constants:
        _product(node, trace)
        return
    axes = trace.flowing(node.input[0])
    weight = trace.shape(node.input[1])
    if len(weight) != 2:
        raise UnclearError(f"its weight has {len(weight)} axes")
    outputs = trace.units.fresh(weight[1], node.output[0])
    _claim_matrix(node, trace, axes[-1], outputs, 1)
    trace.axes[node.output[0]] = (*axes[:-1], outputs)


def _product(node: NodeProto, trace: Trace) -> None:
    left, right = (trace.flowing(name) for name in node.input)
    if len(left) != len(right) or len(left) < 2:
        raise UnclearError("its inputs have different numbers of axes")
    sizes = [trace.shape(name)[:-2] for name in node.input]
    where = f"MatMul {node.output[0]!r}"
    if sizes[0] != sizes[1]:
        raise UnclearError("it repeats one of its inputs")
    trace.freeze((left[-1], right[-2]), f"{where} multiplies computed tensors along it")
    batch = trace.meet(left[:-2], right[:-2], f"{where} meets it with a size that stays")
    trace.axes[node.output[0]] = (*batch, left[-2], right[-1])


def _claim_matrix(
    node: NodeProto, trace: Trace, inputs: Ids | None, outputs: Ids, out_axis: int
) -> None:
    both: Axes = (outputs, inputs) if out_axis == 0 else (inputs, outputs)
    trace.claim(node.input[1], both)
    trace.mixers.append(
        Mixer(node, node.input[0], node.input[1], 1 - out_axis, out_axis, inputs, outputs)
    )


def batch_norm(node: NodeProto, trace: Trace) -> None:
    """Each channel for itself, with four stored values of its own."""
    if len(list(filter(None, node.output))) > 1:
        raise UnclearError("it is in training mode")
    axes = trace.flowing(node.input[0])
    for name in node.input[1:]:
        trace.claim(name, axes[1:2])
    trace.axes[node.output[0]] = axes


def _claim_bias(node: NodeProto, trace: Trace, outputs: Ids | None) -> None:
    if len(node.input) > 2 and node.input[2]:
        trace.claim(node.input[2], (outputs,))


def _stored(node: NodeProto, trace: Trace) -> str:
    name = node.input[1]
    if name not in trace.constants:
        raise UnclearError(f"its weight {name!r} is computed")
    return name
