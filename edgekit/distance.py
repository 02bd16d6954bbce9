"""How far two histograms are apart, honest with few values: pure NumPy, each with its source.

    effective_size     as how many independent values do those of a few groups count?
    ks_interval        largest gap between the distributions, Kolmogorov-Smirnov
    psi_interval       population stability index
    equal_cells        cells of about equal share, as the index is made of

Their rates of false alarms and misses are checked by simulation in `tests/test_distance.py`.
"""

import math
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from edgekit.statistics import Floats, Integers, Interval, student_t_quantile


def effective_size(counts: npt.ArrayLike) -> float:
    """As how many independent values a histogram of grouped values counts.

    Values of one group are alike, so that a thousand pixels of three pictures are no thousand
    values. The distribution's variance over groups, summed over the boundaries of its cells, is
    compared with that of independent values. Source: Rao and Scott (1981), "The analysis of
    categorical data from complex sample surveys", JASA 76(374), the first-order correction;
    divided by what a t quantile exceeds a normal one by, squared, for the variance is estimated
    from groups.

    Args:
        counts: shape (groups, cells), what each group has in each cell.

    Returns:
        At most the number of values; the number of groups where all values share one cell; 0 for
        fewer than two groups.
    """
    table = np.asarray(counts, dtype=np.float64)
    table = table[table.sum(axis=1) > 0]
    groups = table.shape[0]
    if groups < 2:
        return 0.0
    below = np.cumsum(table, axis=1)[:, :-1]
    sizes, total = table.sum(axis=1), float(table.sum())
    share = below.sum(axis=0) / total
    independent = float((share * (1.0 - share)).sum())
    residuals = below - sizes[:, None] * share
    variance = groups / (groups - 1) * float((residuals**2).sum()) / total**2
    few = (student_t_quantile(0.975, groups - 1) / NormalDist().inv_cdf(0.975)) ** 2.0
    if independent == 0.0:
        return float(groups / few)
    size = min(independent / variance, total) if variance > 0.0 else total
    return float(size / few)


def ks_interval(
    first: npt.ArrayLike, second: npt.ArrayLike, sizes: tuple[float, float], alpha: float = 0.05
) -> Interval:
    """The Kolmogorov-Smirnov distance of two histograms: the largest gap of their distributions.

    The interval holds for the gaps at all boundaries at once, and is too wide rather than too
    narrow. Source: Smirnov (1948), "Table for estimating the goodness of fit of empirical
    distributions", Annals of Mathematical Statistics 19(2); the tail's first term, as Massart
    (1990), "The tight constant in the Dvoretzky-Kiefer-Wolfowitz inequality", shows to be a bound.

    Args:
        first: shape (cells,), counts in the order of the values.
        second: likewise, over the same cells.
        sizes: as how many independent values each counts, see `effective_size`.
        alpha: probability of missing the distance.

    Returns:
        A distance and its interval, 0 to 1.
    """
    a, b = _shares(first), _shares(second)
    point = float(np.abs(np.cumsum(a - b)[:-1]).max(initial=0.0))
    half = ks_margin(sizes, alpha)
    return Interval(max(point - half, 0.0), point, min(point + half, 1.0))


def ks_margin(sizes: tuple[float, float], alpha: float = 0.05) -> float:
    """Half the width of `ks_interval`, without the ends 0 and 1; infinite for a size of 0."""
    if min(sizes) <= 0.0:
        return math.inf
    return math.sqrt(-math.log(alpha / 2.0) / 2.0 * (1.0 / sizes[0] + 1.0 / sizes[1]))


def psi_interval(
    first: npt.ArrayLike, second: npt.ArrayLike, sizes: tuple[float, float], alpha: float = 0.05
) -> Interval:
    """The population stability index of two histograms: the sum of (p - q) ln(p / q) over cells.

    Chance alone adds about (cells - 1) (1/n + 1/m), which the lower end is freed of. Sources:
    Siddiqi (2006), "Credit Risk Scorecards"; Yurdakul (2018), "Statistical Properties of
    Population Stability Index", for equal distributions; the delta method for others. Half a value
    is added to each cell (Jeffreys' prior), so that an empty one is not infinitely far away.

    Args:
        first: shape (cells,), counts; ten cells of equal share are usual.
        second: likewise, over the same cells.
        sizes: as how many independent values each counts, see `effective_size`.
        alpha: probability of missing the index.

    Returns:
        An index and its interval, 0 and up; 0 to infinity for a size of 0.
    """
    cells = np.asarray(first).size
    if min(sizes) <= 0.0:
        return Interval(0.0, math.nan, math.inf)
    p, q = (
        (_shares(counts) * n + 0.5) / (n + 0.5 * cells)
        for counts, n in zip((first, second), sizes, strict=True)
    )
    point = float(((p - q) * np.log(p / q)).sum())
    chance = 1.0 / sizes[0] + 1.0 / sizes[1]
    variance = 2.0 * (cells - 1) * chance**2
    for own, other, n in ((p, q, sizes[0]), (q, p, sizes[1])):
        slope = np.log(own / other) + 1.0 - other / own
        variance += float((own * slope**2).sum() - (own * slope).sum() ** 2) / n
    # half of alpha: where groups differ, the correction for them is right on average over cells
    half = NormalDist().inv_cdf(1.0 - alpha / 4.0) * math.sqrt(variance)
    return Interval(max(point - (cells - 1) * chance - half, 0.0), point, point + half)


def _shares(counts: npt.ArrayLike) -> Floats:
    x: Floats = np.asarray(counts, dtype=np.float64)
    return x / max(float(x.sum()), 1.0)


def equal_cells(counts: npt.ArrayLike, wanted: int = 10) -> Integers:
    """To which of about `wanted` neighbouring groups of equal share each cell belongs.

    Args:
        counts: shape (cells,) of the reference.
        wanted: groups, where no cell is larger than its share of one.

    Returns:
        shape (cells,), numbers from 0 without a gap; where one cell holds all, what is below it
        and what is above it are groups of their own.
    """
    share = _shares(counts)
    if share.max(initial=0.0) == 1.0:
        place = int(share.argmax())
        return np.sign(np.arange(share.size) - place).astype(np.int64) + (place > 0)
    before = np.cumsum(share) - share / 2.0
    _, groups = np.unique(
        np.minimum(before * wanted, wanted - 1).astype(np.int64), return_inverse=True
    )
    found: Integers = groups.astype(np.int64)
    return found
