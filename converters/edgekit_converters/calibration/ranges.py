"""How a range is cut from what calibration saw: all of it, or less where outliers cost too much.

percentile  0.01 % of the values may lie outside on each side
mse         the least mean squared error of values that are rounded and cut (as OCTAV, Sakr 2022)
entropy     the least divergence between the values and their quantized form (as TensorRT does,
            Migacz 2017), by magnitude
"""

from collections.abc import Callable, Mapping

import numpy as np

from edgekit_converters.calibration.calibrate import Range
from edgekit_converters.calibration.histogram import Floats, Histogram
from edgekit_converters.recipes.recipe import Activation, Ranging

OUTSIDE = 1e-4
"""Share of values that `percentile` cuts off on each side."""
LEVELS: Mapping[Activation, int] = {"u8": 255, "s8": 255, "s16": 65535}
"""Steps between the least and the greatest number."""
_SHRINKS = np.geomspace(1.0, 1 / 64, 96)
"""Of a side's reach, that `mse` tries: 4.5 % apart."""
_FINE, _COARSE = 2048, 128
"""Bins of `entropy`, as TensorRT has them, and levels that they are merged to."""


def cut(histogram: Histogram, ranging: Ranging, levels: int = 255) -> Range:
    """The range that a method finds; zero is always inside it."""
    if histogram.total == 0 or not np.isfinite([histogram.low, histogram.high]).all():
        return Range(histogram.low, histogram.high)
    found = METHODS[ranging](histogram, levels)
    return Range(min(found.low, 0.0), max(found.high, 0.0))


def minmax(histogram: Histogram, levels: int) -> Range:
    """All of it."""
    return Range(histogram.low, histogram.high)


def percentile(histogram: Histogram, levels: int) -> Range:
    """All but the outermost values."""
    return Range(histogram.quantile(OUTSIDE), histogram.quantile(1 - OUTSIDE))


def least_squares(histogram: Histogram, levels: int) -> Range:
    """Both sides shrink together, then each is moved in turn while the other stays, twice."""
    reach_low, reach_high = min(histogram.low, 0.0), max(histogram.high, 0.0)
    errors = squared_errors(histogram, reach_low * _SHRINKS, reach_high * _SHRINKS, levels)
    shrink = float(_SHRINKS[int(np.argmin(errors))])
    low, high = reach_low * shrink, reach_high * shrink
    for _ in range(2):
        for shrink_low in (False, True):
            reach = reach_low if shrink_low else reach_high
            if reach == 0.0:
                continue
            sides = reach * _SHRINKS
            lows, highs = (sides, high) if shrink_low else (low, sides)
            errors = squared_errors(histogram, lows, highs, levels)
            best = float(sides[int(np.argmin(errors))])
            low, high = (best, high) if shrink_low else (low, best)
    return Range(low, high)


def squared_errors(
    histogram: Histogram, lows: Floats | float, highs: Floats | float, levels: int
) -> Floats:
    """Sum of squared errors of each range: (ranges,).

    A bin that is wider than a quarter of a step rounds as evenly spread values do, step²/12; a
    narrower one as its centre.
    """
    low, high = np.broadcast_arrays(np.atleast_1d(lows), np.atleast_1d(highs))
    low, high = low[:, None], high[:, None]
    step = np.maximum((high - low) / levels, np.finfo(np.float64).tiny)
    values = histogram.centres[None, :]
    inside = np.clip(values, low, high)
    rounded = (np.rint(inside / step) * step - inside) ** 2
    is_wide = (histogram.highs - histogram.lows)[None, :] > step / 4
    error = (values - inside) ** 2 + np.where(is_wide, step**2 / 12, rounded)
    total: Floats = (error * histogram.counts).sum(axis=1)
    return total


def entropy(histogram: Histogram, levels: int) -> Range:
    """Of the values' magnitudes; both sides are cut at the same one."""
    reach = max(-histogram.low, histogram.high)
    if reach <= 0:
        return Range(histogram.low, histogram.high)
    fine = _magnitudes(histogram, np.linspace(0.0, reach, _FINE + 1))
    limit = reach * least_divergent(fine) / _FINE
    return Range(max(histogram.low, -limit), min(histogram.high, limit))


def least_divergent(fine: Floats) -> int:
    """How many of the bins of even width are kept, the others cut to the last of them."""
    best, least = len(fine), np.inf
    for kept in range(_COARSE, len(fine) + 1, _COARSE // 16):
        divergence = _divergence(fine, kept)
        if divergence < least:
            best, least = kept, divergence
    return best


def _divergence(fine: Floats, kept: int) -> float:
    """Kullback and Leibler's, of the kept bins against their merged and spread form."""
    sliced = fine[:kept]
    reference = sliced.copy()
    reference[-1] += fine[kept:].sum()
    starts = np.arange(_COARSE) * kept // _COARSE
    sizes = np.diff(np.append(starts, kept))
    is_full = sliced > 0
    full = np.add.reduceat(is_full.astype(np.float64), starts)
    share = np.divide(np.add.reduceat(sliced, starts), full, out=np.zeros(_COARSE), where=full > 0)
    merged = np.repeat(share, sizes) * is_full
    total, total_merged = reference.sum(), merged.sum()
    if total_merged == 0:
        return float("inf")
    wanted, found = reference / total, merged / total_merged
    both = (wanted > 0) & (found > 0)
    lost = wanted[(wanted > 0) & ~both].sum()
    return float((wanted[both] * np.log(wanted[both] / found[both])).sum() + lost * 10)


def _magnitudes(histogram: Histogram, edges: Floats) -> Floats:
    """Counts of |value| between even edges; a bin's counts are spread evenly over its width."""
    below: Floats = np.zeros(len(edges))
    is_negative = histogram.highs <= 0
    for part, sign in ((is_negative, -1.0), (~is_negative, 1.0)):
        ends = np.abs(np.stack([histogram.lows[part], histogram.highs[part]], axis=1))
        counts = histogram.counts[part]
        if sign < 0:
            ends, counts = ends[::-1, ::-1], counts[::-1]
        reached = np.cumsum(counts)
        steps = np.stack([reached - counts, reached], axis=1)
        if len(counts):
            below += np.interp(edges, ends.reshape(-1), steps.reshape(-1), left=0.0)
    below[-1] = histogram.total
    spread: Floats = np.diff(below)
    spread[0] = spread[1]  # as TensorRT does: the zeros of a Relu would outweigh all else
    return spread


METHODS: Mapping[Ranging, Callable[[Histogram, int], Range]] = {
    "minmax": minmax,
    "percentile": percentile,
    "mse": least_squares,
    "entropy": entropy,
}
