"""Let the candidate and its baselines answer a task, each in a process of its own, and compare."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from msgspec import Struct

from edgekit.budget import Budget
from edgekit.gate.wanted import EVALUATION, Wanted
from edgekit.measure.accuracy import (
    Discordance,
    Drop,
    Predictions,
    compare_scores,
    discordance,
    estimate_agreement,
    estimate_score,
    predict_all,
)
from edgekit.measure.contained import contained_model
from edgekit.measure.environment import Environment, local_environment
from edgekit.measure.estimate import Estimate
from edgekit.measure.explanation import MOST_SAMPLES, rank_agreement
from edgekit.measure.fidelity import Confidences, Fidelity, fidelity
from edgekit.measure.metrics import Metric, task_metrics
from edgekit.measure.samples import task_samples
from edgekit.task import Task


class MetricFigures(Struct, frozen=True, omit_defaults=True):
    """One of the task's further metrics.

    Attributes:
        value: the candidate's, with its interval.
        drops: against each baseline.
    """

    value: Estimate
    drops: tuple[Drop, ...] = ()


class Against(Struct, frozen=True, omit_defaults=True):
    """The candidate's answers against one baseline's.

    Attributes:
        score: the baseline's.
        drop: of the score.
        agreement: how much is answered alike, as `Drop` says; None for floating-point answers.
        discordance: who was right where the other was not; None unless the score counts these.
        fidelity: the baseline's precision, recall and calibration.
        rank_agreement: of explanations; measured only where the budget limits it.
    """

    score: float
    drop: Drop
    agreement: Estimate | None = None
    discordance: Discordance | None = None
    fidelity: Fidelity = Fidelity()
    rank_agreement: Estimate | None = None


class Accuracy(Struct, frozen=True, omit_defaults=True):
    """What a task says. Without a baseline there is a score and nothing to compare.

    Attributes:
        task: the file's name.
        score: the candidate's.
        against: one for each baseline.
        metrics: by name.
        fidelity: the candidate's precision, recall and calibration.
        environment: where it answered.
    """

    task: str
    score: Estimate
    against: tuple[Against, ...] = ()
    metrics: dict[str, MetricFigures] = {}
    fidelity: Fidelity = Fidelity()
    environment: Environment | None = None


@dataclass(frozen=True)
class Answered:
    """One model's answers to the evaluation split, and what they are worth."""

    answers: Predictions
    fidelity: Fidelity


def score_sides(wanted: Wanted, budget: Budget, task: Task) -> Accuracy:
    """Answer and compare.

    Raises:
        CrashError: a model ended or hung the process that ran it.
        TaskError: the task breaks its promise.
        EdgekitError: a model cannot be run.
    """
    candidate = _answered(wanted, task, wanted.candidate)
    befores = [_answered(wanted, task, path) for path in wanted.baselines]
    return Accuracy(
        task=task.path.name,
        score=estimate_score(task, candidate.answers, seed=wanted.seed),
        against=tuple(
            _against(wanted, budget, task, _Pair(path, before, candidate))
            for path, before in zip(wanted.baselines, befores, strict=True)
        ),
        metrics={
            metric.name: _metric(metric, budget, befores, candidate, wanted.seed)
            for metric in task_metrics(task)
        },
        fidelity=candidate.fidelity,
        environment=local_environment(),
    )


def _answered(wanted: Wanted, task: Task, path: Path) -> Answered:
    with contained_model(path, threads=wanted.threads, timeout_s=wanted.timeout_s) as model:
        heard = Confidences(task, model.run)
        answers = predict_all(task, heard.run, EVALUATION, heard.next_sample)
    return Answered(answers, fidelity(answers, heard.values(), seed=wanted.seed))


@dataclass(frozen=True)
class _Pair:
    path: Path
    before: Answered
    candidate: Answered


def _against(wanted: Wanted, budget: Budget, task: Task, pair: _Pair) -> Against:
    before, after = pair.before.answers, pair.candidate.answers
    limit = budget.accuracy.max_drop
    drop = compare_scores(task, before, after, limit=limit, seed=wanted.seed)
    same = None
    if drop.agreement is not None:
        same = estimate_agreement(before, after, seed=wanted.seed)
    explained = None
    if budget.explanation.min_rank_agreement is not None:
        explained = _rank_agreement(wanted, task, pair.path)
    return Against(
        score=before.score,
        drop=drop,
        agreement=same,
        discordance=discordance(before, after),
        fidelity=pair.before.fidelity,
        rank_agreement=explained,
    )


def _metric(
    metric: Metric, budget: Budget, befores: Sequence[Answered], candidate: Answered, seed: int
) -> MetricFigures:
    wished = budget.metrics.get(metric.name)
    limit = wished.max_drop if wished is not None else None
    after = metric.scored(candidate.answers)
    return MetricFigures(
        value=estimate_score(metric, after, seed=seed),
        drops=tuple(
            compare_scores(metric, metric.scored(before.answers), after, limit=limit, seed=seed)
            for before in befores
        ),
    )


def _rank_agreement(wanted: Wanted, task: Task, baseline: Path) -> Estimate:
    with (
        contained_model(baseline, timeout_s=wanted.timeout_s) as before,
        contained_model(wanted.candidate, timeout_s=wanted.timeout_s) as after,
    ):
        samples = task_samples(task, before.run, MOST_SAMPLES)
        return rank_agreement(before.run, after.run, samples.values, seed=wanted.seed)
