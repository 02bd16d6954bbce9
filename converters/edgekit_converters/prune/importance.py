"""How much the layers that read a channel miss it.

The normal equations of a layer's inputs tell by how much its output changes when a channel goes
and the others take over what they can (the optimal brain surgeon's criterion for a block of
weights: Hassibi and Stork 1993). Layers without such equations, grouped ones and very wide ones,
count the energy that the channel brings.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from onnx import numpy_helper

from edgekit_converters.prune.moments import Moments
from edgekit_converters.prune.observe import Rows, matrix
from edgekit_converters.prune.trace import Mixer, Trace
from edgekit_converters.prune.units import Ids

CORRELATED = 8
"""Rows of one inference that say as much as one row of an inference of its own: a guess."""


@dataclass
class Listener:
    """A layer that reads channels of a group, while channels go one after the other.

    Attributes:
        weight: (channels written, columns).
        inverse: of the shrunk normal equations, (columns, columns); None where there are none.
        columns: of each unit.
        energy: variance of the output, or the energy that all channels bring.
        brought: by each column, as a share of that energy, if the others did not take over.
    """

    weight: Rows
    inverse: Rows | None
    columns: Mapping[int, Ids]
    energy: float
    brought: Rows

    def copy(self) -> "Listener":
        """One that can be spent."""
        inverse = None if self.inverse is None else self.inverse.copy()
        return Listener(self.weight.copy(), inverse, self.columns, self.energy, self.brought)

    def missed(self, units: Sequence[int]) -> Rows:
        """How much the output changes when each of these goes alone."""
        unread = np.zeros(0, np.int64)
        found = [self.columns.get(unit, unread) for unit in units]
        if self.inverse is None:
            return np.array([self.brought[columns].sum() for columns in found])
        result = np.zeros(len(units))
        sizes = np.array([len(columns) for columns in found])
        for size in set(sizes.tolist()) - {0}:
            places = np.flatnonzero(sizes == size)
            columns = np.stack([found[place] for place in places.tolist()])
            blocks = self.inverse[columns[:, :, None], columns[:, None, :]]
            weights = self.weight[:, columns].transpose(1, 2, 0)
            solved = np.linalg.solve(blocks, weights)
            result[places] = np.einsum("uko,uko->u", weights, solved) / self.energy
        return result

    def drop(self, units: Sequence[int]) -> float:
        """Let units go and the others take over; returns the error that leaves."""
        columns = self.places(units)
        if not len(columns):
            return 0.0
        if self.inverse is None:
            return float(self.brought[columns].sum())
        block = self.inverse[np.ix_(columns, columns)]
        weight, across = self.weight[:, columns], self.inverse[columns]
        factor = np.linalg.solve(block, across)
        harm = float((weight * np.linalg.solve(block, weight.T).T).sum() / self.energy)
        self.weight -= weight @ factor
        self.inverse -= across.T @ factor
        self.weight[:, columns] = 0
        return harm

    def places(self, units: Sequence[int]) -> Ids:
        """Columns of some units."""
        found = [self.columns[unit] for unit in units if unit in self.columns]
        return np.concatenate(found) if found else np.zeros(0, np.int64)


def listener(mixer: Mixer, moments: Moments, trace: Trace) -> Listener:
    """A layer ready to tell what it would miss."""
    assert mixer.inputs is not None
    weight = matrix(mixer, numpy_helper.to_array(trace.constants[mixer.weight]))
    each = weight.shape[1] // len(mixer.inputs)
    columns = _columns(trace.units.roots(mixer.inputs), each)
    strength = np.square(weight).sum(axis=0)
    if moments.products.ndim == 1:
        power = moments.mean_products().reshape(mixer.groups, -1).mean(axis=0)
        brought = strength * power.repeat(each)
        energy = float(brought.sum()) or 1.0
        return Listener(weight, None, columns, energy, brought / energy)
    equations = moments.mean_products()
    brought = strength * np.diag(equations)
    if mixer.has_bias:
        mean = moments.mean()
        equations -= np.outer(mean, mean)
    energy = max(float(((weight @ equations) * weight).sum()), 1e-12)
    inverse: Rows = np.linalg.inv(shrunk(equations, moments)).astype(np.float64)
    return Listener(weight, inverse, columns, energy, brought / energy)


def _columns(roots: Ids, each: int) -> dict[int, Ids]:
    order = np.argsort(roots, kind="stable")
    units, starts = np.unique(roots[order], return_index=True)
    inside = np.arange(each)
    return {
        int(unit): (positions[:, None] * each + inside).ravel()
        for unit, positions in zip(units, np.split(order, starts[1:]), strict=True)
    }


def shrunk(equations: Rows, moments: Moments) -> Rows:
    """Equations drawn towards equal, independent columns, the more the fewer rows there were.

    Without it, directions that a few inputs did not show look free.
    """
    width = len(equations)
    rows = max(moments.calls, moments.count / CORRELATED)
    share = width / (width + rows)
    level = max(float(np.trace(equations)) / width, 1e-12)
    result: Rows = (1 - share) * equations + share * level * np.eye(width)
    return result
