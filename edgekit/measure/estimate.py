"""A statistic of samples that come in groups, with its interval."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from edgekit.errors import TaskError
from edgekit.statistics import (
    Integers,
    all_agree_bound,
    cluster_resamples,
    expanded_percentiles,
    group_members,
    jackknife,
    student_t_quantile,
)

RESAMPLES = 1000
FOLDS = 50
FEW_GROUPS = 20  # the bootstrap interval is too narrow below, see `expanded_percentiles`
TAILS = (0.025, 0.05, 0.95, 0.975)
RULE_OF_THREE = "rule of three over groups"


@dataclass(frozen=True)
class Estimate:
    """A point with a two-sided 95 % interval (low, high) and one-sided 95 % bounds (lower, upper).

    `method` says how they were found.
    """

    point: float
    low: float
    high: float
    lower: float
    upper: float
    method: str


def estimate(
    statistic: Callable[[Integers], float], groups: Sequence[str], *, seed: int, slow: str | None
) -> Estimate:
    """The statistic over all samples, with an interval from resampling whole groups.

    Args:
        statistic: of the samples with these indices.
        groups: the group of each sample.
        seed: of resamples and folds.
        slow: why the statistic cannot be called a thousand times, or None if it can.

    Returns:
        A bootstrap estimate; a jackknife where groups are few, the statistic is slow or it fails
        on some resamples; an interval from -1 to 1 where there is only one group.

    Raises:
        TaskError: the statistic cannot be computed with a part of the groups left out.
    """
    point = statistic(np.arange(len(groups)))
    count = len(group_members(groups))
    if count < 2:
        return Estimate(point, -1.0, 1.0, -1.0, 1.0, "none: one group has no spread")
    why = f"fewer than {FEW_GROUPS} groups" if count < FEW_GROUPS else slow
    if why is None:
        try:
            draws = [statistic(indices) for indices in cluster_resamples(groups, RESAMPLES, seed)]
        except TaskError:
            why = "score() fails on some resamples"
        else:
            low, lower, upper, high = expanded_percentiles(draws, count, TAILS)
            method = f"bootstrap over groups, {RESAMPLES} resamples"
            return Estimate(point, low, high, lower, upper, method)
    error, freedom = jackknife(statistic, groups, FOLDS, seed)
    low, lower, upper, high = (point + student_t_quantile(t, freedom) * error for t in TAILS)
    method = f"jackknife over {freedom + 1} folds of groups: {why}"
    return Estimate(point, low, high, lower, upper, method)


def no_spread_estimate(point: float, groups: Sequence[str]) -> Estimate:
    """For a value that was the same in every group: others may still differ, in some groups.

    Args:
        point: the value; a share or a difference of shares, so that one group's largest possible
            effect is 1 over the number of groups.
        groups: the group of each sample.
    """
    count = len(group_members(groups))
    one, two = all_agree_bound(count, 0.95), all_agree_bound(count, 0.975)
    return Estimate(point, point - two, point + two, point - one, point + one, RULE_OF_THREE)
