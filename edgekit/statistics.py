"""The statistics of a verdict: pure NumPy, each function with its source.

    mean_sequence          is the mean of a stream of blocks above a limit? valid at every look
    quantile_bound         a percentile that must not be exceeded, from its order statistics
    cluster_resamples      indices of a paired bootstrap that keeps groups together
    expanded_percentiles   an interval from such a bootstrap, honest with few groups
    jackknife              the same question when the statistic is too slow to bootstrap
    all_agree_bound        how bad can it be when no difference was seen at all?
    mcnemar, holm, mann_whitney, spearman

How far two histograms are apart is in `distance.py`.

Coverage of each is checked by simulation in `tests/test_statistics.py`.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from statistics import NormalDist
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Integers: TypeAlias = npt.NDArray[np.int64]

_NORMAL = NormalDist()


class Interval(NamedTuple):
    """A point estimate and its two-sided interval, in the unit of what was estimated."""

    low: float
    point: float
    high: float


def mean_sequence(
    values: npt.ArrayLike, *, alpha: float = 0.05, prior_blocks: float = 1.0
) -> Interval:
    """Confidence sequence for the mean: one may look after every value and stop at will.

    The probability that the interval misses the mean at any look, ever, is at most `alpha` for
    normal values of unknown variance. The width shrinks as sqrt(log(n) / n).

    Source: the mixture of t statistics of Lai (1976), "On confidence sequences", Annals of
    Statistics 4(2), in the closed form of Lindon, Ham, Tingley and Bojinov (2022), "Anytime-valid
    linear models and regression adjusted causal inference", arXiv:2210.08589, section 3.

    Args:
        values: shape (n,), one finite number per block.
        alpha: probability of ever missing.
        prior_blocks: precision of the mixture in blocks; smaller favours later looks.

    Returns:
        The interval; infinite while n is too small to say anything.
    """
    x = np.asarray(values, dtype=np.float64)
    n = x.size
    point = float(x.mean()) if n else math.nan
    shrink = prior_blocks / (n + prior_blocks)
    threshold = (1.0 / (alpha * math.sqrt(shrink))) ** (2.0 / max(n, 1))
    if n < 2 or shrink * threshold >= 1.0:
        return Interval(-math.inf, point, math.inf)
    t_squared = (n - 1) * (threshold - 1.0) / (1.0 - shrink * threshold)
    half = float(x.std(ddof=1)) * math.sqrt(t_squared / n)
    return Interval(point - half, point, point + half)


class QuantileBound(NamedTuple):
    """Where a quantile lies. A side is None while there are too few samples for it."""

    low: float | None
    high: float | None
    samples: int
    needed: int


def samples_for_quantile(quantile: float, confidence: float = 0.99) -> int:
    """Samples until the largest one bounds the quantile: p99 at 99 % takes 459, p95 takes 90."""
    return math.ceil(math.log1p(-confidence) / math.log(quantile))


def quantile_bound(
    values: npt.ArrayLike, quantile: float, confidence: float = 0.99
) -> QuantileBound:
    """One-sided bounds of a quantile from order statistics; no distribution is assumed.

    Source: Conover, "Practical Nonparametric Statistics" (3rd ed., 1999), section 3.2: the number
    of samples below the quantile is binomial, so the k-th smallest is above the quantile with
    probability P(Bin(n, quantile) <= k - 1).

    Args:
        values: shape (n,), independent samples.
        quantile: 0.99 for p99.
        confidence: of each side alone.
    """
    x = np.sort(np.asarray(values, dtype=np.float64))
    n = x.size
    needed = samples_for_quantile(quantile, confidence)
    cdf = _binomial_cdf(n, quantile)  # cdf[k] = P(Bin <= k), k = 0 … n
    above = np.flatnonzero(cdf[:n] >= confidence)
    below = np.flatnonzero(1.0 - cdf[:n] >= confidence)
    high = float(x[above[0]]) if above.size else None
    low = float(x[below[-1]]) if below.size else None
    return QuantileBound(low, high, n, needed)


def _binomial_cdf(n: int, p: float) -> Floats:
    k = np.arange(n + 1)
    log_factorial = np.array([math.lgamma(i + 1.0) for i in range(n + 1)])
    log_pmf = log_factorial[n] - log_factorial - log_factorial[::-1]
    log_pmf += k * math.log(p) + (n - k) * math.log1p(-p)
    cdf: Floats = np.minimum(np.cumsum(np.exp(log_pmf)), 1.0)
    return cdf


def group_members(groups: Sequence[Any]) -> list[Integers]:
    """The indices of each group's samples, groups in the order they first appear."""
    members: dict[Any, list[int]] = {}
    for index, group in enumerate(groups):
        members.setdefault(group, []).append(index)
    return [np.array(indices, dtype=np.int64) for indices in members.values()]


def cluster_resamples(groups: Sequence[Any], resamples: int, seed: int) -> Iterator[Integers]:
    """Sample indices of a bootstrap that draws whole groups with replacement.

    Use the same indices for both sides of a paired comparison. Source: Davison and Hinkley,
    "Bootstrap Methods and their Application" (1997), section 3.8.
    """
    members = group_members(groups)
    random = np.random.default_rng(seed)
    for _ in range(resamples):
        drawn = random.integers(0, len(members), size=len(members))
        yield np.concatenate([members[group] for group in drawn])


def expanded_percentiles(draws: npt.ArrayLike, groups: int, tails: Sequence[float]) -> list[float]:
    """Quantiles of bootstrap draws, moved outwards to be honest with few groups.

    Source: Hesterberg (2015), "What Teachers Should Know About the Bootstrap", The American
    Statistician 69(4), section 5.3: the tail `a` becomes Φ(sqrt(n / (n - 1)) · t(a, n - 1)).

    Args:
        draws: shape (resamples,), the statistic in each resample.
        groups: independent groups that were resampled. From 20 on a 95 % interval covers; with 8
            it misses 6.4 % of the time, and the jackknife is the better choice.
        tails: lower-tail probabilities, for instance (0.025, 0.975).
    """
    stretch = math.sqrt(groups / (groups - 1))
    moved = [_NORMAL.cdf(stretch * student_t_quantile(tail, groups - 1)) for tail in tails]
    return [float(q) for q in np.quantile(np.asarray(draws, dtype=np.float64), moved)]


class Jackknife(NamedTuple):
    """The standard error of a statistic, and the degrees of freedom of its t quantiles."""

    error: float
    freedom: int


def jackknife(
    statistic: Callable[[Integers], float], groups: Sequence[Any], folds: int, seed: int
) -> Jackknife:
    """Delete-a-group jackknife: leave out one fold of groups at a time.

    With as many folds as groups this is the delete-one-group jackknife. Source: Kott (2001), "The
    Delete-a-Group Jackknife", Journal of Official Statistics 17(4).

    Args:
        statistic: of the samples with these indices.
        groups: the group of each sample.
        folds: at most this many calls of `statistic`; at least 2.
        seed: of the assignment of groups to folds.
    """
    members = group_members(groups)
    order = np.random.default_rng(seed).permutation(len(members))
    parts = np.array_split(order, min(folds, len(members)))
    everything = np.arange(len(groups))
    left_out = [np.concatenate([members[group] for group in part]) for part in parts]
    values = np.array([statistic(np.delete(everything, out)) for out in left_out])
    count = len(parts)
    error = math.sqrt((count - 1) / count * float(((values - values.mean()) ** 2).sum()))
    return Jackknife(error, count - 1)


def all_agree_bound(groups: int, confidence: float = 0.95) -> float:
    """Upper bound of the share of groups that differ when none of those seen did.

    Source: Hanley and Lippman-Hand (1983), "If nothing goes wrong, is everything all right?",
    JAMA 249(13): the rule of three, here exact.
    """
    return float(1.0 - (1.0 - confidence) ** (1.0 / groups))


def groups_to_agree(share: float, confidence: float = 0.95) -> int:
    """Groups without a difference that bring `all_agree_bound` down to this share, above 0."""
    return math.ceil(math.log1p(-confidence) / math.log1p(-share))


def mcnemar(only_first: int, only_second: int) -> float:
    """Exact two-sided p value that two classifiers err equally often on the same samples.

    Source: McNemar (1947), Psychometrika 12(2), as an exact binomial test of the discordant pairs.

    Args:
        only_first: samples that only the first got right.
        only_second: samples that only the second got right.
    """
    n = only_first + only_second
    if n == 0:
        return 1.0
    return min(1.0, 2.0 * float(_binomial_cdf(n, 0.5)[min(only_first, only_second)]))


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p values of several tests: rejecting those below α errs at most α of the time.

    Source: Holm (1979), "A simple sequentially rejective multiple test procedure", Scandinavian
    Journal of Statistics 6(2).
    """
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    adjusted = [0.0] * len(p_values)
    worst = 0.0
    for rank, index in enumerate(order):
        worst = max(worst, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = worst
    return adjusted


class MannWhitney(NamedTuple):
    """Whether one sample tends to be larger. `superiority` is P(second > first) + P(tie) / 2."""

    u: float
    p_value: float
    superiority: float


def mann_whitney(first: npt.ArrayLike, second: npt.ArrayLike) -> MannWhitney:
    """Two-sided rank test of two independent samples, each of at least 8 or so.

    Source: Mann and Whitney (1947), Annals of Mathematical Statistics 18(1); normal approximation
    with correction for ties and continuity.
    """
    a, b = (np.asarray(side, dtype=np.float64) for side in (first, second))
    pooled = np.concatenate([a, b])
    _, counts = np.unique(pooled, return_counts=True)
    ranks = _mean_ranks(pooled)
    u = float(ranks[a.size :].sum()) - b.size * (b.size + 1) / 2.0
    n, pairs = pooled.size, a.size * b.size
    ties = float((counts.astype(np.float64) ** 3 - counts).sum()) / (n * (n - 1))
    spread = math.sqrt(pairs / 12.0 * (n + 1 - ties))
    z = (abs(u - pairs / 2.0) - 0.5) / spread if spread > 0.0 else 0.0
    return MannWhitney(u, min(1.0, 2.0 * _NORMAL.cdf(-z)), u / pairs)


def spearman(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """Rank correlation, -1 to 1; ties share their mean rank.

    Where one side has no order at all it is 0, where neither has it is 1: nothing contradicts.

    Source: Spearman (1904), "The proof and measurement of association between two things",
    American Journal of Psychology 15(1).
    """
    a, b = (_mean_ranks(np.asarray(side, dtype=np.float64)) for side in (first, second))
    a, b = a - a.mean(), b - b.mean()
    spread = math.sqrt(float((a * a).sum()) * float((b * b).sum()))
    if spread == 0.0:
        return 1.0 if not a.any() and not b.any() else 0.0
    return float((a * b).sum()) / spread


def _mean_ranks(values: Floats) -> Floats:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: Floats = (np.cumsum(counts) - (counts - 1) / 2.0)[inverse]
    return ranks


def student_t_quantile(probability: float, freedom: int) -> float:
    """Quantile of Student's t, by bisection of its distribution function, to 1e-9."""
    if probability < 0.5:
        return -student_t_quantile(1.0 - probability, freedom)
    low, high = 0.0, 1.0
    while _student_t_cdf(high, freedom) < probability:
        high *= 2.0
    while high - low > 1e-9 * high:
        middle = (low + high) / 2.0
        low, high = (
            (middle, high) if _student_t_cdf(middle, freedom) < probability else (low, middle)
        )
    return (low + high) / 2.0


def _student_t_cdf(t: float, freedom: int) -> float:
    """Abramowitz and Stegun (1964), 26.7.3 and 26.7.4: the finite series."""
    theta = math.atan(t / math.sqrt(freedom))
    sine, cosine = math.sin(theta), math.cos(theta)
    odd = freedom % 2
    term = cosine if odd else 1.0
    total = term if freedom > 1 else 0.0
    for k in range(2 + odd, freedom - 1, 2):
        term *= cosine * cosine * (k - 1) / k
        total += term
    area = 2.0 / math.pi * (theta + sine * total) if odd else sine * total
    return 0.5 + area / 2.0
