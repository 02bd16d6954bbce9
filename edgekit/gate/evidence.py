"""Everything the gate measures about a candidate, with or without a baseline."""

from dataclasses import dataclass
from pathlib import Path

from edgekit.errors import CrashError, UsageError
from edgekit.gate.subject import Subject, is_bundle, look_at
from edgekit.manifest import Budget
from edgekit.measure.accuracy import (
    Drop,
    compare_scores,
    estimate_agreement,
    estimate_score,
    predict_all,
)
from edgekit.measure.estimate import Estimate
from edgekit.measure.latency import Measured, Sampling, measure
from edgekit.measure.recording import BASELINE, CANDIDATE
from edgekit.measure.samples import (
    Samples,
    golden_feeds,
    golden_samples,
    model_inputs,
    open_model,
    synthetic_samples,
    task_samples,
)
from edgekit.statistics import samples_for_quantile
from edgekit.task import Task, load_task

SPLIT = "evaluation"
ENOUGH_CALLS = 240  # a side, where no limit says how many are needed
MOST_CALLS = 960


@dataclass(frozen=True)
class Wanted:
    """What to gate.

    Attributes:
        candidate: the file that wants to be released.
        baseline: the file that it must not be worse than.
        task: a task file, for accuracy.
        threads: threads that one inference may use.
        seed: of everything that is drawn.
        max_s: seconds after which timing stops.
        timeout_s: seconds that a model may take to load and warm up, or to run one block.
    """

    candidate: Path
    baseline: Path | None = None
    task: Path | None = None
    threads: int = 1
    seed: int = 0
    max_s: float = 60.0
    timeout_s: float = 300.0


@dataclass(frozen=True)
class Accuracy:
    """What a task says of both. Without a baseline there is a score and nothing to compare."""

    task: str
    score: Estimate
    baseline_score: float | None = None
    drop: Drop | None = None
    agreement: Estimate | None = None


@dataclass(frozen=True)
class Evidence:
    """All of it. What was not measured is None."""

    candidate: Subject
    baseline: Subject | None = None
    timing: Measured | None = None
    accuracy: Accuracy | None = None
    crash: str | None = None


def gather(wanted: Wanted, budget: Budget) -> Evidence:
    """Measure what there is to measure.

    Timing comes first: it runs the candidate in other processes, so that one that crashes is
    found out there and never run in this one.

    Raises:
        EdgekitError: a file is missing or damaged, the baseline is for another target or crashes,
            or the task breaks its promise.
    """
    candidate = look_at(wanted.candidate)
    baseline = look_at(wanted.baseline) if wanted.baseline else None
    _check_targets(candidate, baseline)
    task = load_task(wanted.task) if wanted.task else None
    try:
        timing = _timing(wanted, budget, task)
    except CrashError as error:
        _blame(error, wanted)
        return Evidence(candidate, baseline, crash=error.problem)
    accuracy = _accuracy(wanted, budget, task) if task else None
    return Evidence(candidate, baseline, timing, accuracy)


def sampling_for(budget: Budget, wanted: Wanted) -> Sampling:
    """How much to time: until the ratio is settled, and twice what a percentile needs at least.

    The number for a percentile is fixed beforehand, because its bound holds for one look only.
    """
    limits = budget.latency
    quantiles = {0.5: limits.p50_ms, 0.95: limits.p95_ms, 0.99: limits.p99_ms}
    needed = [2 * samples_for_quantile(q) for q, limit in quantiles.items() if limit is not None]
    compares = wanted.baseline is not None
    ratios = (limits.max_ratio,) if compares and limits.max_ratio is not None else ()
    return Sampling(
        threads=wanted.threads,
        seed=wanted.seed,
        min_calls=max(needed, default=0),
        max_calls=MOST_CALLS if ratios else ENOUGH_CALLS,
        max_s=wanted.max_s,
        timeout_s=wanted.timeout_s,
        limits=ratios,
        noise=compares,
    )


def _timing(wanted: Wanted, budget: Budget, task: Task | None) -> Measured:
    sides = {CANDIDATE: wanted.candidate}
    if wanted.baseline is not None:
        sides = {BASELINE: wanted.baseline, CANDIDATE: wanted.candidate}
    return measure(sides, _samples(wanted, task), sampling_for(budget, wanted))


def _samples(wanted: Wanted, task: Task | None) -> Samples:
    """Golden raw inputs where bundles have them, else what the task feeds, else noise."""
    all_bundles = is_bundle(wanted.candidate) and (
        wanted.baseline is None or is_bundle(wanted.baseline)
    )
    if is_bundle(wanted.candidate):
        read = golden_samples if all_bundles else golden_feeds
        samples = read(wanted.candidate)
        if samples is not None:
            return samples
    if task is not None:
        return task_samples(task, wanted.baseline or wanted.candidate)
    return synthetic_samples(model_inputs(wanted.baseline or wanted.candidate), wanted.seed)


def _accuracy(wanted: Wanted, budget: Budget, task: Task) -> Accuracy:
    answers = predict_all(task, open_model(wanted.candidate, wanted.threads), SPLIT)
    score = estimate_score(task, answers, seed=wanted.seed)
    if wanted.baseline is None:
        return Accuracy(task.path.name, score)
    before = predict_all(task, open_model(wanted.baseline, wanted.threads), SPLIT)
    limit = budget.accuracy.max_drop
    drop = compare_scores(task, before, answers, limit=limit, seed=wanted.seed)
    same = None
    if drop.agreement is not None:
        same = estimate_agreement(before, answers, seed=wanted.seed)
    return Accuracy(task.path.name, score, before.score, drop, same)


def _check_targets(candidate: Subject, baseline: Subject | None) -> None:
    if baseline is None or None in (candidate.target, baseline.target):
        return
    if candidate.target != baseline.target:
        problem = f"it was made for {baseline.target}, the candidate for {candidate.target}"
        way_out = "take the baseline of the same target"
        raise UsageError(f"baseline {baseline.file!r}", problem, way_out)


def _blame(error: CrashError, wanted: Wanted) -> None:
    """Return if the crash is the candidate's; a baseline that crashes is no baseline.

    Raises:
        CrashError: the baseline crashes.
    """
    thing = f"model {str(wanted.candidate)!r}"
    if wanted.baseline is None or error.thing == thing:
        return
    if thing not in error.thing:
        raise error
    # it happened while both ran in turns: the baseline alone tells whose fault it was
    samples = synthetic_samples(model_inputs(wanted.baseline), wanted.seed)
    sampling = Sampling(
        processes=1, max_calls=ENOUGH_CALLS, max_s=wanted.max_s, timeout_s=wanted.timeout_s
    )
    measure({CANDIDATE: wanted.baseline}, samples, sampling)
