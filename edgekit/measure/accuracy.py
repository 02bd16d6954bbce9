"""How much worse is the candidate? Both models on the same samples, with a paired interval."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from edgekit.errors import TaskError, UsageError
from edgekit.statistics import (
    Integers,
    all_agree_bound,
    cluster_resamples,
    expanded_percentiles,
    group_members,
    groups_to_agree,
    jackknife,
    student_t_quantile,
)
from edgekit.task import Run, Task

RESAMPLES = 1000
FOLDS = 50
SLOW_SCORE_MS = 2.0  # 2 × RESAMPLES calls then take 4 s; beyond that, jackknife
TAILS = (0.025, 0.05, 0.95, 0.975)
ALL_EQUAL = "all answers equal: rule of three over groups"
Bounds = tuple[float, float, float, float]
FEW_GROUPS = 20  # the bootstrap interval is too narrow below, see tests/test_statistics.py


@dataclass(frozen=True)
class Predictions:
    """What one model answered, in the order of the task's samples, and what that scores."""

    predictions: list[Any]
    labels: list[Any]
    groups: list[str]
    score: float


@dataclass(frozen=True)
class Drop:
    """Reference score minus candidate score: positive is worse. In units of the score, 0 to 1.

    Attributes:
        point: the difference on these samples.
        low: lower end of the two-sided 95 % interval.
        high: upper end of it.
        upper: one-sided 95 % upper bound: the drop that can be certified.
        lower: one-sided 95 % lower bound: the drop that is proven.
        agreement: share of samples on which both answered the same; None where answers are
            floating-point numbers, which never agree to the last bit.
        samples: how many were compared.
        groups: how many independent groups they form.
        method: how the interval was made.
        samples_to_settle: about how many samples would bring `upper` down to the limit, if the
            difference stays as it is; None where that is done, or where the point is over it.
    """

    point: float
    low: float
    high: float
    upper: float
    lower: float
    agreement: float | None
    samples: int
    groups: int
    method: str
    samples_to_settle: int | None


def predict_all(
    task: Task, run: Run, split: str, progress: Callable[[int], None] | None = None
) -> Predictions:
    """Predict every sample of a split and score the answers.

    Args:
        task: what the model is for.
        run: one inference of the model.
        split: `"calibration"` or `"evaluation"`.
        progress: told the number of samples done, after each.

    Raises:
        TaskError: the task breaks its promise.
    """
    predictions: list[Any] = []
    labels: list[Any] = []
    groups: list[str] = []
    for sample, label, group in task.samples(split):
        predictions.append(task.predict(run, sample))
        labels.append(label)
        groups.append(group)
        if progress is not None:
            progress(len(predictions))
    return Predictions(predictions, labels, groups, task.score(predictions, labels))


def compare_scores(
    task: Task,
    reference: Predictions,
    candidate: Predictions,
    *,
    limit: float | None = None,
    seed: int = 0,
) -> Drop:
    """The paired drop of the score with its interval.

    A bootstrap over groups where the score is quick enough and there are groups enough; else a
    jackknife over groups; and where not one answer differs, the rule of three over groups.

    Args:
        task: whose score it is.
        reference: answers of the model before.
        candidate: answers of the model after, on the same samples.
        limit: the drop that is allowed, for `samples_to_settle`.
        seed: of resamples and folds.

    Raises:
        UsageError: the two were not made on the same samples.
    """
    _check_paired(reference, candidate)
    (low, lower, upper, high), method = _bounds(task, reference, candidate, seed)
    drop = Drop(
        point=reference.score - candidate.score,
        low=low,
        high=high,
        upper=upper,
        lower=lower,
        agreement=_agreement(reference.predictions, candidate.predictions),
        samples=len(reference.groups),
        groups=len(group_members(reference.groups)),
        method=method,
        samples_to_settle=None,
    )
    return replace(drop, samples_to_settle=_samples_to_settle(drop, limit))


def _bounds(
    task: Task, reference: Predictions, candidate: Predictions, seed: int
) -> tuple[Bounds, str]:
    """The drop's quantiles at TAILS, and how they were found."""
    groups = reference.groups
    count = len(group_members(groups))
    pairs = zip(reference.predictions, candidate.predictions, strict=True)
    if all(same(one, other) for one, other in pairs):
        one_sided, two_sided = all_agree_bound(count, 0.95), all_agree_bound(count, 0.975)
        return (-two_sided, -one_sided, one_sided, two_sided), ALL_EQUAL
    if count < 2:
        return (-1.0, -1.0, 1.0, 1.0), "none: one group has no spread"

    def drop(indices: Integers) -> float:
        labels = [reference.labels[i] for i in indices]
        before = task.score([reference.predictions[i] for i in indices], labels)
        return before - task.score([candidate.predictions[i] for i in indices], labels)

    why = _why_not_bootstrap(task, reference, count)
    if why is None:
        try:
            draws = [drop(indices) for indices in cluster_resamples(groups, RESAMPLES, seed)]
        except TaskError:
            why = "score() fails on some resamples"
        else:
            low, lower, upper, high = expanded_percentiles(draws, count, TAILS)
            return (low, lower, upper, high), f"bootstrap over groups, {RESAMPLES} resamples"
    error, freedom = jackknife(drop, groups, FOLDS, seed)
    point = reference.score - candidate.score
    low, lower, upper, high = (point + student_t_quantile(t, freedom) * error for t in TAILS)
    return (low, lower, upper, high), f"jackknife over {freedom + 1} folds of groups: {why}"


def _why_not_bootstrap(task: Task, reference: Predictions, groups: int) -> str | None:
    if groups < FEW_GROUPS:
        return f"fewer than {FEW_GROUPS} groups"
    started = time.process_time()
    task.score(reference.predictions, reference.labels)
    if (time.process_time() - started) * 1e3 > SLOW_SCORE_MS:
        return f"score() takes more than {SLOW_SCORE_MS:g} ms"
    return None


def _samples_to_settle(drop: Drop, limit: float | None) -> int | None:
    if limit is None or drop.upper <= limit or drop.point >= limit:
        return None
    if drop.method == ALL_EQUAL:
        return math.ceil(drop.samples * groups_to_agree(limit) / drop.groups)
    return math.ceil(drop.samples * ((drop.upper - drop.point) / (limit - drop.point)) ** 2)


def _check_paired(reference: Predictions, candidate: Predictions) -> None:
    if len(reference.predictions) != len(candidate.predictions) or (
        reference.groups != candidate.groups
    ):
        counts = f"{len(reference.predictions)} and {len(candidate.predictions)} samples"
        raise UsageError(
            "the comparison of scores",
            f"the two models answered different samples ({counts})",
            "let samples() yield the same samples in the same order every time",
        )


def _agreement(reference: list[Any], candidate: list[Any]) -> float | None:
    if any(_is_floating(answer) for answer in reference[:8]):
        return None
    equal = [same(one, other) for one, other in zip(reference, candidate, strict=True)]
    return sum(equal) / len(equal)


def _is_floating(answer: Any) -> bool:
    if isinstance(answer, Mapping):
        return any(_is_floating(part) for part in answer.values())
    if isinstance(answer, list | tuple):
        return any(_is_floating(part) for part in answer)
    return isinstance(answer, float) or (
        isinstance(answer, np.ndarray | np.generic) and answer.dtype.kind in "fc"
    )


def same(one: Any, other: Any) -> bool:
    """Whether two answers are equal, arrays and containers of arrays included."""
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return np.array_equal(one, other)
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)
