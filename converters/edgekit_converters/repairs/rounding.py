"""Weights rounded so that a layer's output stays, not each weight (as AdaRound asks).

Solved by least squares on calibration rows, column by column: the error that rounding one column
makes is spread over the columns still to come, by the rows' covariance (Frantar 2022, GPTQ). The
result stands on the grid that the quantizer finds again, so it needs no more than float weights.
The work is bounded by the layer's size, never by a clock: a recipe always gives the same bytes.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto

from edgekit.engines import Array
from edgekit_converters.graph import attribute
from edgekit_converters.prune.observe import ROWS, Probe, patches
from edgekit_converters.recipes.grid import channel_axis, grid_of
from edgekit_converters.recipes.recipe import Recipe
from edgekit_converters.repairs.stored import Stored

Matrix = NDArray[np.float64]
MOST_COLUMNS = 1536
"""Of a layer's matrix: solving takes time by the cube of it, 3 s at this size."""
DAMPING = 0.01
"""Of the covariance's mean diagonal, added to it."""


def choose_rounding(
    model: ModelProto, recipe: Recipe, nodes: Sequence[str], feeds: Sequence[Mapping[str, Array]]
) -> int:
    """Rewrite in place; returns how many layers are nearer than with plain rounding."""
    stored, chosen = Stored(model), set(nodes)
    layers = [
        node for node in model.graph.node if node.name in chosen and _is_solvable(node, stored)
    ]
    better = 0
    for node in layers:
        rows = observed(model, node, stored, feeds)
        weight = stored.get(node.input[1])
        if weight is None or not len(rows):
            continue
        axis = channel_axis(node, weight.ndim)
        grid = grid_of(node, weight, recipe)
        moved = np.moveaxis(weight, axis, 0)
        matrix: Matrix = moved.reshape(len(moved), -1).astype(np.float64)
        spread = np.broadcast_to(np.moveaxis(grid.steps, axis, 0), moved.shape)
        steps: Matrix = spread.reshape(matrix.shape)[:, :1].astype(np.float64)
        solved = solve(matrix, steps, grid.limit, rows)
        plain = np.clip(np.rint(matrix / steps), -grid.limit, grid.limit) * steps
        if squared_error(rows, matrix - solved) < squared_error(rows, matrix - plain):
            better += 1
            back = np.moveaxis(solved.reshape(moved.shape), 0, axis)
            stored.put(node, 1, back.astype(np.float32))
    return better


def _is_solvable(node: NodeProto, stored: Stored) -> bool:
    if node.op_type not in ("Conv", "Gemm", "MatMul"):
        return False
    weight = stored.get(node.input[1])
    if weight is None or attribute(node, "group", 1) != 1 or attribute(node, "transA", 0):
        return False
    if node.op_type != "Conv" and weight.ndim != 2:
        return False
    outputs = weight.shape[channel_axis(node, weight.ndim)]
    return bool(weight.size // max(outputs, 1) <= MOST_COLUMNS)


def observed(
    model: ModelProto, node: NodeProto, stored: Stored, feeds: Sequence[Mapping[str, Array]]
) -> Matrix:
    """Rows that the layer's matrix is multiplied by: (rows, columns), some of each feed."""
    weight = stored.get(node.input[1])
    found: list[Array] = []
    with Probe(model, [node.input[0], node.output[0]]) as probe:
        for number, each in enumerate(feeds):
            values = probe.run(each)
            source, output = values[node.input[0]], values[node.output[0]]
            rng = np.random.default_rng(number)
            if node.op_type == "Conv" and weight is not None:
                count = output.size // max(output.shape[1], 1)
                rows = np.sort(rng.permutation(count)[:ROWS])
                found.append(patches(node, source, output, weight.shape[2:], rows))
            else:
                flat = source.reshape(-1, source.shape[-1])
                found.append(flat[np.sort(rng.permutation(len(flat))[:ROWS])])
    return np.concatenate(found).astype(np.float64) if found else np.zeros((0, 0))


def solve(matrix: Matrix, steps: Matrix, limit: int, rows: Matrix) -> Matrix:
    """The matrix on its grid: (outputs, columns), near in `rows @ matrix.T`.

    The greatest weight of each channel keeps its number, or the quantizer would find another grid.
    """
    size = matrix.shape[1]
    covariance = rows.T @ rows
    covariance[np.diag_indices(size)] += DAMPING * max(np.trace(covariance) / size, 1e-12)
    factor = np.linalg.cholesky(np.linalg.inv(covariance)).T
    is_greatest = np.abs(matrix) >= steps * (limit - 0.01)
    left, solved = matrix.copy(), np.empty_like(matrix)
    for column in range(size):
        numbers = np.clip(np.rint(left[:, column : column + 1] / steps), -limit, limit)
        kept = np.sign(matrix[:, column : column + 1]) * limit
        solved[:, column] = (np.where(is_greatest[:, column : column + 1], kept, numbers) * steps)[
            :, 0
        ]
        error = (left[:, column] - solved[:, column]) / factor[column, column]
        left[:, column + 1 :] -= np.outer(error, factor[column, column + 1 :])
    return solved


def squared_error(rows: Matrix, error: Matrix) -> float:
    """Of the layer's output."""
    return float(np.square(rows @ error.T).sum())
