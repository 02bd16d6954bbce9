"""Zeros among the weights, by magnitude: smaller to send, nothing else.

onnxruntime stores and multiplies zeros as any other number, so such a model is as large and as slow
on the device as fp32. What shrinks is the file as a download or an update is compressed. These are
tried where they are asked for, told as what they are, and never chosen.
"""

import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from onnx import GraphProto, ModelProto, TensorProto, numpy_helper

from edgekit.engines import Array
from edgekit.errors import ModelError
from edgekit_converters.graph import all_graphs, attribute, copy_of
from edgekit_converters.recipes.recipe import FP32, SPARSITIES, Recipe, Sparsity
from edgekit_converters.search.candidate import Candidate
from edgekit_converters.search.tried import Tried
from edgekit_converters.search.workbench import Job, Workbench

GROUP, KEPT = 4, 2
"""Of 2:4: two of each four weights in a row along what is summed over."""
SMALLEST = 256
"""Weights of a tensor below which zeros save nothing worth having."""


def sparse_rung(tried: Tried, job: Job, bench: Workbench) -> Iterator[Recipe]:
    """Each pattern, where it is asked for; scored, and not measured."""
    recipes = [replace(FP32, sparse=each) for each in SPARSITIES if each]
    if job.sparse:
        yield from recipes
        return
    why = "zeros make a smaller download and nothing faster (--sparse)"
    tried.candidates += [Candidate(each, verdict="not tried", why=why) for each in recipes]


def sparsified(model: ModelProto, pattern: Sparsity) -> ModelProto:
    """Set the smallest weights of convolutions and matrix products to zero.

    Args:
        model: clean fp32.
        pattern: `2to4`, or a percentage of each weight tensor.

    Raises:
        ModelError: no weight is large enough, or has fours to choose from.
    """
    result = copy_of(model)
    changed = 0
    for graph in all_graphs(result.graph):
        stored = {each.name: each for each in graph.initializer}
        axes = _summed_axes(graph, stored)
        for name, axis in axes.items():
            weights = numpy_helper.to_array(stored[name])
            mask = _fours(weights, axis) if pattern == "2to4" else _smallest(weights, int(pattern))
            if mask is not None:
                found = np.where(mask, np.float32(0), weights)
                stored[name].CopyFrom(numpy_helper.from_array(found, name))
                changed += 1
    if not changed:
        problem = f"it has no weights to make sparse ({pattern})"
        raise ModelError("the model", problem, "leave --sparse out")
    return result


def _summed_axes(graph: GraphProto, stored: dict[str, TensorProto]) -> dict[str, int]:
    """Float weights of some size by name, with the axis that is summed over."""
    found: dict[str, int] = {}
    for node in graph.node:
        if node.op_type not in ("Conv", "MatMul", "Gemm"):
            continue
        weight = stored.get(node.input[1])
        if weight is None or weight.data_type != TensorProto.FLOAT or len(weight.dims) < 2:
            continue
        if np.prod(weight.dims) >= SMALLEST:
            is_transposed = node.op_type == "Gemm" and attribute(node, "transB", 0)
            found[weight.name] = (
                1 if node.op_type == "Conv" or is_transposed else len(weight.dims) - 2
            )
    return found


def _smallest(weights: Array, percent: int) -> Array:
    """Where the smallest of a tensor are."""
    order = np.argsort(np.abs(weights), axis=None, kind="stable")
    mask = np.zeros(weights.size, dtype=bool)
    mask[order[: weights.size * percent // 100]] = True
    return mask.reshape(weights.shape)


def _fours(weights: Array, axis: int) -> Array | None:
    """Where the two smallest of each four along an axis are; None where fours do not fit."""
    last = np.moveaxis(weights, axis, -1)
    if last.shape[-1] % GROUP:
        return None
    fours = np.abs(last).reshape(-1, GROUP)
    mask = np.zeros(fours.shape, dtype=bool)
    smallest = np.argsort(fours, axis=1, kind="stable")[:, : GROUP - KEPT]
    np.put_along_axis(mask, smallest, True, axis=1)
    return np.moveaxis(mask.reshape(last.shape), -1, axis)


def told(candidate: Candidate, dense: Path, max_drop: float) -> Candidate:
    """A scored candidate, as what it is.

    Args:
        candidate: with its score.
        dense: the fp32 model's file.
        max_drop: of the score.
    """
    before, after = (len(zlib.compress(each.read_bytes())) for each in (dense, candidate.file))
    why = (
        f"deflated for transfer {after / 1e3:.1f} kB, fp32 {before / 1e3:.1f} kB; "
        "on the device as large and as slow as fp32"
    )
    judged = candidate.calibration
    if judged is not None and judged.drop.point > max_drop:
        why += f"; the score drops by more than {max_drop * 100:g}"
    return replace(candidate, verdict="size only", why=why)
