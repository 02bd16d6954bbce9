"""How channels pass through operators that move values without looking at them."""

import math
from collections.abc import Iterator, Sequence

import numpy as np
from onnx import NodeProto

from edgekit_converters.graph import attribute
from edgekit_converters.prune.trace import Axes, Shape, Trace, UnclearError, tile
from edgekit_converters.prune.units import Ids

PACKED = 3
"""Query, key and value in one projection: the axis of this size lies outside the heads."""


def transpose(node: NodeProto, trace: Trace) -> None:
    """Axes in another order."""
    axes = trace.flowing(node.input[0])
    order = attribute(node, "perm", tuple(reversed(range(len(axes)))))
    trace.axes[node.output[0]] = tuple(axes[axis] for axis in order)


def concat(node: NodeProto, trace: Trace) -> None:
    """Channels of one input after those of another; all other axes are shared."""
    rank = len(trace.shape(node.output[0]))
    along = attribute(node, "axis") % rank
    shared: Axes | None = None
    parts = []
    for name in node.input:
        is_stored = name in trace.constants
        axes: Axes = (None,) * rank if is_stored else trace.flowing(name)
        if is_stored:
            trace.claim(name, axes)
        parts.append((trace.shape(name)[along], axes[along]))
        others = (*axes[:along], None, *axes[along + 1 :])
        reason = f"Concat {node.output[0]!r} joins it with a tensor that keeps its size"
        shared = others if shared is None else trace.meet(shared, others, reason)
    assert shared is not None
    joined = _joined(parts, trace, f"stands still in Concat {node.output[0]!r}")
    trace.axes[node.output[0]] = (*shared[:along], joined, *shared[along + 1 :])


def _joined(parts: Sequence[tuple[int, Ids | None]], trace: Trace, reason: str) -> Ids | None:
    if all(ids is None for _, ids in parts):
        return None
    filled = []
    for size, ids in parts:
        if ids is None:
            filled.append(trace.units.fresh(size, "a part that keeps its size"))
            trace.units.freeze(filled[-1], f"it {reason}")
        else:
            filled.append(ids)
    return np.concatenate(filled)


def split(node: NodeProto, trace: Trace) -> None:
    """Each output takes its part of the axis; equal parts lose the same places."""
    axes = trace.flowing(node.input[0])
    along = attribute(node, "axis", 0) % len(axes)
    sizes = [trace.shape(name)[along] for name in node.output]
    parts: list[Ids | None] = [None for _ in sizes]
    whole = axes[along]
    if whole is not None and len(set(sizes)) == 1:
        parts = list(whole.reshape(len(sizes), -1))
        for part in parts[1:]:
            trace.meet((parts[0],), (part,), "")
    else:
        trace.freeze([whole], f"Split {node.output[0]!r} cuts it into uneven parts")
    for name, part in zip(node.output, parts, strict=True):
        trace.axes[name] = (*axes[:along], part, *axes[along + 1 :])


def slice_(node: NodeProto, trace: Trace) -> None:
    """An axis it cuts stays; the others pass."""
    axes = trace.flowing(node.input[0])
    if len(node.input) > 3 and node.input[3]:
        cut = trace.value(node.input[3]).tolist()
    else:
        cut = range(trace.shape(node.input[1])[0])
    _keep_but(node, trace, {axis % len(axes) for axis in cut})


def pad(node: NodeProto, trace: Trace) -> None:
    """An axis it lengthens stays; the others pass."""
    axes = trace.flowing(node.input[0])
    if len(node.input) > 3 and node.input[3]:
        raise UnclearError("it pads chosen axes")
    pads = trace.value(node.input[1]).tolist() if len(node.input) > 1 else attribute(node, "pads")
    count = len(axes)
    _keep_but(node, trace, {axis for axis in range(count) if pads[axis] or pads[axis + count]})


def resize(node: NodeProto, trace: Trace) -> None:
    """An axis it scales stays; the others pass."""
    if len(node.input) > 3 and node.input[3]:
        raise UnclearError("it is given sizes, the channels among them")
    before, after = trace.shape(node.input[0]), trace.shape(node.output[0])
    changed = {axis for axis, size in enumerate(before) if size != after[axis]}
    _keep_but(node, trace, changed)


def _keep_but(node: NodeProto, trace: Trace, changed: set[int]) -> None:
    axes = trace.flowing(node.input[0])
    where = f"{node.op_type} {node.output[0]!r} changes its size"
    trace.freeze([axes[axis] for axis in changed], where)
    kept = (None if axis in changed else ids for axis, ids in enumerate(axes))
    trace.axes[node.output[0]] = tuple(kept)


def gather(node: NodeProto, trace: Trace) -> None:
    """Picks along one axis, which stays; the others pass."""
    axes = trace.flowing(node.input[0])
    along = attribute(node, "axis", 0) % len(axes)
    trace.freeze([axes[along]], f"Gather {node.output[0]!r} picks from it")
    if node.input[1] not in trace.constants:
        trace.freeze(trace.axes.get(node.input[1], ()), f"it indexes Gather {node.output[0]!r}")
    picked = (None,) * len(trace.shape(node.input[1]))
    trace.axes[node.output[0]] = (*axes[:along], *picked, *axes[along + 1 :])


def shape_of(node: NodeProto, trace: Trace) -> None:
    """Harmless where only sizes are picked from it that stay as they are."""
    axes = trace.flowing(node.input[0])
    seen: set[int] = set()
    for reader in trace.consumers.get(node.output[0], ()):
        seen |= _picked(reader, trace, len(axes))
    trace.freeze(
        [axes[axis] for axis in seen], f"Shape {node.output[0]!r} reads how many there are"
    )


def _picked(reader: NodeProto, trace: Trace, rank: int) -> set[int]:
    """Entries of a shape that its reader takes."""
    is_known = all(name in trace.constants for name in reader.input[1:])
    if reader.op_type == "Gather" and is_known:
        return {index % rank for index in np.ravel(trace.value(reader.input[1])).tolist()}
    if reader.op_type == "Slice" and is_known and len(reader.input) > 1:
        steps = trace.value(reader.input[4]).tolist() if len(reader.input) > 4 else [1]
        start, stop = (trace.value(name).tolist()[0] for name in reader.input[1:3])
        return set(range(rank)[start : stop : steps[0]])
    return set(range(rank))


def regroup(node: NodeProto, trace: Trace) -> None:
    """Axes joined or cut in row-major order: flattened channels, attention heads."""
    axes = trace.flowing(node.input[0])
    before, after = trace.shape(node.input[0]), trace.shape(node.output[0])
    if all(ids is None for ids in axes):
        return
    if node.op_type == "Reshape":
        trace.templates[node.output[0]] = _template(node, trace, axes)
    result: list[Ids | None] = [None] * len(after)
    where = f"{node.op_type} {node.output[0]!r}"
    ones = [ids for ids, size in zip(axes, before, strict=True) if size == 1]
    trace.freeze(ones, f"{where} drops it")
    for old, new in runs(before, after):
        found = [(axis, ids) for axis in old if (ids := axes[axis]) is not None]
        if len(found) == 1 and (len(old) == 1 or len(new) == 1):
            axis, ids = found[0]
            place = old.index(axis)
            sizes = [before[each] for each in old]
            flat = tile(ids, math.prod(sizes[:place]), math.prod(sizes[place + 1 :]))
            carrier, carried = _cut([after[each] for each in new], flat, trace)
            result[new[carrier]] = carried
        else:
            trace.freeze([ids for _, ids in found], f"{where} mixes its order")
    trace.axes[node.output[0]] = tuple(result)


def _template(node: NodeProto, trace: Trace, axes: Axes) -> list[int]:
    """A stored shape that does what the node's does, on inputs of other sizes too.

    Raises:
        UnclearError: the shape is computed, and does more than move channels.
    """
    if node.input[1] in trace.constants:
        stored: list[int] = trace.value(node.input[1]).tolist()
        return stored
    before, after = trace.shape(node.input[0]), trace.shape(node.output[0])
    template: list[int | None] = [None] * len(after)
    for old, new in runs(before, after):
        if any(axes[axis] is not None for axis in old):
            if any(axes[axis] is None for axis in old):
                raise UnclearError("its computed shape joins channels with others")
            for axis in new:
                template[axis] = after[axis]
        elif old == new and len(old) == 1:
            template[old[0]] = 0
    for axis, size in enumerate(after):
        if size == 1 and template[axis] is None and before[axis : axis + 1] == (1,):
            template[axis] = 0
    if template.count(None) > 1:
        raise UnclearError("its computed shape does more than move channels")
    return [-1 if size is None else size for size in template]


def _cut(sizes: list[int], flat: Ids, trace: Trace) -> tuple[int, Ids]:
    """The axis that carries the units of a flat one that is cut, and its units.

    Positions with the same index on it are tied: all of a head goes, or nothing.
    """
    carrier = 1 if len(sizes) == 3 and sizes[0] == PACKED else 0
    inside = np.moveaxis(flat.reshape(sizes), carrier, 0).reshape(sizes[carrier], -1)
    for column in inside.T[1:]:
        trace.units.tie(inside[:, 0], column)
    return carrier, inside[:, 0]


def runs(before: Shape, after: Shape) -> Iterator[tuple[list[int], list[int]]]:
    """Axes of two shapes of the same values that hold each other: `(old axes, new axes)`.

    Axes of one value belong to no run.
    """
    old = [axis for axis, size in enumerate(before) if size != 1]
    new = [axis for axis, size in enumerate(after) if size != 1]
    while old and new:
        left, right = [old.pop(0)], [new.pop(0)]
        while (have := math.prod(before[a] for a in left)) != (
            want := math.prod(after[a] for a in right)
        ):
            side, rest = (left, old) if have < want else (right, new)
            if not rest:
                return
            side.append(rest.pop(0))
        yield left, right
