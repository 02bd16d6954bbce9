"""How much worse is the candidate? Both models on the same samples, with a paired interval."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any, Protocol, TypeAlias

import numpy as np
from msgspec import Struct

from edgekit.errors import UsageError
from edgekit.measure.estimate import RULE_OF_THREE, Estimate, estimate, no_spread_estimate
from edgekit.statistics import Integers, group_members, groups_to_agree, mcnemar
from edgekit.task import Run, Task

Flags: TypeAlias = np.ndarray[Any, np.dtype[np.bool_]]
Shares: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]

EQUAL_SHARES = 1e-9
DIGITS = 12
"""Of a drop: 0.965 - 0.955 is 0.01, and not more by what float64 leaves over."""
SLOW_SCORE_MS = 2.0  # a bootstrap of both sides then takes 4 s; beyond that, jackknife


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
        agreement: share of samples on which both answered the same; of answers that are arrays,
            such as a decision for each frame, the share of their elements, averaged over samples.
            None where answers are floating-point numbers, which never agree to the last bit.
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


class Scorer(Protocol):
    """A score of predictions against labels, 0 to 1: a task's own, or one of its metrics."""

    def score(self, predictions: list[Any], labels: list[Any]) -> float:
        """Higher is better."""
        ...


def compare_scores(
    task: Scorer,
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
        TaskError: the score cannot be computed with a part of the groups left out.
    """
    _check_paired(reference, candidate)
    found = _drop_estimate(task, reference, candidate, seed)
    drop = Drop(
        point=round(found.point, DIGITS),
        low=round(found.low, DIGITS),
        high=round(found.high, DIGITS),
        upper=round(found.upper, DIGITS),
        lower=round(found.lower, DIGITS),
        agreement=agreement(reference, candidate),
        samples=len(reference.groups),
        groups=len(group_members(reference.groups)),
        method=found.method,
        samples_to_settle=None,
    )
    return replace(drop, samples_to_settle=_samples_to_settle(drop, limit))


def estimate_score(task: Scorer, answers: Predictions, *, seed: int = 0) -> Estimate:
    """One model's score with its interval.

    Raises:
        TaskError: the score cannot be computed with a part of the groups left out.
    """
    if answers.score in (0.0, 1.0):
        return no_spread_estimate(answers.score, answers.groups)

    def score(indices: Integers) -> float:
        return _score(task, answers, indices)

    return estimate(score, answers.groups, seed=seed, slow=_slow(task, answers))


def estimate_agreement(
    reference: Predictions, candidate: Predictions, *, seed: int = 0
) -> Estimate:
    """How much of their answers is the same, as `Drop.agreement`, with its interval."""
    alike = _alike(reference, candidate)
    if np.isin(alike[0], (0.0, 1.0)) and (alike == alike[0]).all():
        return no_spread_estimate(float(alike[0]), reference.groups)
    return estimate(lambda i: float(alike[i].mean()), reference.groups, seed=seed, slow=None)


class Discordance(Struct, frozen=True):
    """Samples that one of two models got right and the other did not.

    Attributes:
        only_baseline: right before, wrong now.
        only_candidate: wrong before, right now.
        p_value: exact, two-sided, that both err equally often (McNemar); it takes samples as
            independent, whatever their groups.
    """

    only_baseline: int
    only_candidate: int
    p_value: float


def discordance(reference: Predictions, candidate: Predictions) -> Discordance | None:
    """The discordant pairs; None unless both scores are the share of samples that are right."""
    right = [_right(each) for each in (reference, candidate)]
    for answers, flags in zip((reference, candidate), right, strict=True):
        if abs(float(flags.mean()) - answers.score) > EQUAL_SHARES:
            return None
    lost, won = int((right[0] & ~right[1]).sum()), int((right[1] & ~right[0]).sum())
    return Discordance(lost, won, mcnemar(lost, won))


def _right(answers: Predictions) -> Flags:
    pairs = zip(answers.predictions, answers.labels, strict=True)
    return np.array([same(one, label) for one, label in pairs], dtype=np.bool_)


def drop_p_value(drop: Drop, limit: float) -> float:
    """One-sided p value of a drop up to the limit, as its interval says: small is inferior."""
    error = (drop.point - drop.lower) / NormalDist().inv_cdf(0.95)
    if error <= 0.0:
        return 0.0 if drop.point > limit else 1.0
    return NormalDist().cdf((limit - drop.point) / error)


def agreement(reference: Predictions, candidate: Predictions) -> float | None:
    """How much of their answers is the same, see `Drop`; None for floating-point answers."""
    if any(is_floating(answer) for answer in reference.predictions[:8]):
        return None
    return float(_alike(reference, candidate).mean())


def _drop_estimate(
    task: Scorer, reference: Predictions, candidate: Predictions, seed: int
) -> Estimate:
    if _equal(reference, candidate).all():
        return no_spread_estimate(0.0, reference.groups)

    def drop(indices: Integers) -> float:
        return _score(task, reference, indices) - _score(task, candidate, indices)

    return estimate(drop, reference.groups, seed=seed, slow=_slow(task, reference))


def _score(task: Scorer, answers: Predictions, indices: Integers) -> float:
    predictions = [answers.predictions[i] for i in indices]
    return task.score(predictions, [answers.labels[i] for i in indices])


def _slow(task: Scorer, answers: Predictions) -> str | None:
    for _ in range(2):  # the first call may be slow by chance, and with it the method
        started = time.process_time()
        task.score(answers.predictions, answers.labels)
        if (time.process_time() - started) * 1e3 <= SLOW_SCORE_MS:
            return None
    return f"score() takes more than {SLOW_SCORE_MS:g} ms"


def _samples_to_settle(drop: Drop, limit: float | None) -> int | None:
    if limit is None or drop.upper <= limit or drop.point >= limit:
        return None
    if drop.method == RULE_OF_THREE:
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


def _equal(reference: Predictions, candidate: Predictions) -> Flags:
    pairs = zip(reference.predictions, candidate.predictions, strict=True)
    return np.array([same(one, other) for one, other in pairs], dtype=np.bool_)


def _alike(reference: Predictions, candidate: Predictions) -> Shares:
    pairs = zip(reference.predictions, candidate.predictions, strict=True)
    return np.array([alike(one, other) for one, other in pairs], dtype=np.float64)


def alike(one: Any, other: Any) -> float:
    """The share of two answers that is equal, 0 to 1.

    Arrays of one shape: of their elements. Containers of the same keys or length that hold arrays:
    the mean of their parts. All else, text and arrays of other shapes among them: 0 or 1.
    """
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        is_comparable = one.shape == other.shape and one.size > 0
        return float((one == other).mean()) if is_comparable else float(same(one, other))
    if isinstance(one, Mapping) and isinstance(other, Mapping) and one.keys() == other.keys():
        pairs = [(one[key], other[key]) for key in one]
    elif isinstance(one, list | tuple) and isinstance(other, list | tuple):
        pairs = list(zip(one, other, strict=False)) if len(one) == len(other) else []
    else:
        pairs = []
    if not any(isinstance(part, np.ndarray) for pair in pairs for part in pair):
        return float(same(one, other))
    return sum(alike(*pair) for pair in pairs) / len(pairs)


def is_floating(answer: Any) -> bool:
    """Whether an answer is, or holds, floating-point numbers."""
    if isinstance(answer, Mapping):
        return any(is_floating(part) for part in answer.values())
    if isinstance(answer, list | tuple):
        return any(is_floating(part) for part in answer)
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
