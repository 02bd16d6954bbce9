"""Do two models look at the same parts of their input? Occlusion, black box, seeded.

Source: Zeiler and Fergus (2014), "Visualizing and Understanding Convolutional Networks", ECCV,
section 4.2: hide a part of the input, see how far the output moves.
"""

import itertools
from collections.abc import Mapping, Sequence

import numpy as np

from edgekit.engines import Array
from edgekit.errors import InputError
from edgekit.measure.estimate import Estimate, estimate
from edgekit.statistics import Floats, spearman
from edgekit.task import Run

GRID = 6
PARTS = 32
MOST_SAMPLES = 16


def rank_agreement(
    first: Run, second: Run, feeds: Sequence[Mapping[str, Array]], *, seed: int = 0
) -> Estimate:
    """Mean rank correlation of both models' attributions over samples, with its interval.

    Args:
        first: one inference of a model.
        second: one inference of another.
        feeds: model inputs by name; `MOST_SAMPLES` of them are used.
        seed: of the choice of samples, and of resamples.

    Raises:
        InputError: no input or no output holds floating-point numbers.
    """
    order = np.random.default_rng(seed).permutation(len(feeds))[:MOST_SAMPLES]
    found = [
        spearman(attributions(first, feeds[i]), attributions(second, feeds[i]))
        for i in sorted(int(place) for place in order)
    ]
    values = np.array(found, dtype=np.float64)
    groups = [str(number) for number in range(len(found))]
    return estimate(lambda i: float(values[i].mean()), groups, seed=seed, slow=None)


def attributions(run: Run, feeds: Mapping[str, Array]) -> Floats:
    """How far the largest output moves when each part of the largest input is its mean instead.

    Raises:
        InputError: no input or no output holds floating-point numbers.
    """
    name = _largest(feeds, "input")
    before = run(feeds)
    output = _largest(before, "output")
    array = np.asarray(feeds[name])
    moved = []
    for part in parts_of(array.shape):
        hidden = array.copy()
        hidden[part] = array.mean()
        after = run({**feeds, name: hidden})[output]
        moved.append(_distance(before[output], after))
    return np.array(moved, dtype=np.float64)


def parts_of(shape: tuple[int, ...]) -> list[tuple[slice, ...]]:
    """Index of each part: a grid over the last two axes, or stretches of the longest one."""
    if len(shape) >= 2 and min(shape[-2:]) >= GRID:
        rows, columns = (_stretches(size, GRID) for size in shape[-2:])
        lead = (slice(None),) * (len(shape) - 2)
        return [(*lead, row, column) for row in rows for column in columns]
    axis = int(np.argmax(shape))
    before = (slice(None),) * axis
    return [(*before, part) for part in _stretches(shape[axis], PARTS)]


def _stretches(size: int, count: int) -> list[slice]:
    edges = np.linspace(0, size, min(size, count) + 1).round().astype(int)
    return [slice(int(a), int(b)) for a, b in itertools.pairwise(edges)]


def _largest(arrays: Mapping[str, Array], what: str) -> str:
    floating = {n: np.asarray(a).size for n, a in arrays.items() if np.asarray(a).dtype.kind == "f"}
    if not floating:
        problem = f"no {what} holds floating-point numbers"
        raise InputError("the explanation", problem, "leave [explanation] out of the budget")
    return max(floating, key=lambda name: floating[name])


def _distance(before: Array, after: Array) -> float:
    if before.shape != after.shape:
        return float("inf")
    return float(np.linalg.norm(after.astype(np.float64) - before.astype(np.float64)))
