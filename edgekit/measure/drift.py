"""How far the values that a model sees and says now are from those of calibration."""

import math

import numpy as np
from msgspec import Struct

from edgekit.distance import effective_size, equal_cells, ks_interval, ks_margin, psi_interval
from edgekit.reference import Counter, Histogram
from edgekit.statistics import Interval

FEW_GROUPS = 8
"""With fewer on either side nothing is said: simulations of the intervals start here."""


class Between(Struct, frozen=True):
    """A distance and where it lies with 95 % over all tensors of the model."""

    low: float
    point: float
    high: float


class TensorDrift(Struct, frozen=True, omit_defaults=True):
    """One tensor's values against those of calibration.

    Attributes:
        tensor: `input NAME` or `output NAME`.
        values: how many there are now.
        outside: share of them beyond the range of calibration, or not finite.
        groups: independent groups that they come from.
        reference_groups: likewise of calibration; 0 where the bundle does not tell.
        ks: Kolmogorov-Smirnov distance; None with too few groups on either side.
        psi: population stability index; likewise.
        sizes: as how many independent values those of calibration and of now count.
    """

    tensor: str
    values: int
    outside: float
    groups: int
    reference_groups: int
    ks: Between | None = None
    psi: Between | None = None
    sizes: tuple[float, float] = (0.0, 0.0)


def tensor_drift(name: str, before: Histogram, now: Counter, alpha: float) -> TensorDrift:
    """Compare one tensor.

    Args:
        name: what to call it.
        before: its histogram of calibration.
        now: the same bins, filled with new data.
        alpha: probability of missing either distance.
    """
    table, first, second = now.by_group(), before.cells(), now.cells()
    total = int(second.sum())
    outside = int(second[0] + second[-2] + second[-1]) / max(total, 1)
    groups, told = int((table.sum(axis=1) > 0).sum()), before.groups
    if min(groups, told) < FEW_GROUPS or not first.sum():
        return TensorDrift(name, total, outside, groups, told)
    sizes = before.effective_values, effective_size(table)
    cells = equal_cells(first)
    shares = np.bincount(cells, first), np.bincount(cells, second)
    return TensorDrift(
        tensor=name,
        values=total,
        outside=outside,
        groups=groups,
        reference_groups=told,
        ks=_between(ks_interval(first, second, sizes, alpha)),
        psi=_between(psi_interval(*shares, sizes, alpha)),
        sizes=sizes,
    )


def groups_to_settle(drift: TensorDrift, limit: float, alpha: float) -> int | None:
    """About how many groups would bring the upper end of the distance down to a limit.

    None where that is done, where the distance itself is over it, or where calibration had too
    few groups for any number of new ones to do.
    """
    if drift.ks is None or drift.ks.high <= limit or drift.ks.point >= limit:
        return None
    one = ks_margin((1.0, math.inf), alpha)  # of a single value against a known distribution
    rest = ((limit - drift.ks.point) / one) ** 2 - 1.0 / drift.sizes[0]
    return math.ceil(drift.groups / rest / drift.sizes[1]) if rest > 0.0 else None


def _between(interval: Interval) -> Between:
    return Between(*interval)
