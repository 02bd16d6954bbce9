"""The search: try each recipe, keep what is cheaper and in budget, ship the cheapest or fp32.

Calibration data finds the ranges and compares candidates. Evaluation data judges finalists only,
cheapest first, until one holds; how many looks that took is part of the result.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from edgekit.errors import CrashError
from edgekit.measure.accuracy import Predictions
from edgekit_converters.attempt import attempt
from edgekit_converters.calibrate import Calibration
from edgekit_converters.candidate import Candidate, one_line
from edgekit_converters.cost import Cost, check_measurable
from edgekit_converters.evaluate import remembering
from edgekit_converters.passes import PassReport
from edgekit_converters.recipe import RECIPES, Recipe
from edgekit_converters.workbench import Job, Workbench, prepare

MOST_LOOKS = 3
"""At the evaluation split. Every look makes it a little less unseen."""
MOST_DOUBTFUL = 2
"""Candidates over budget on the calibration split, though not proven so, that may be measured."""


@dataclass(frozen=True)
class SearchResult:
    """Everything a search found.

    Attributes:
        job: what was asked.
        passes: what became of each pass.
        calibration: ranges and feeds of the clean model.
        clean_cost: the clean model against the one that came; None where nothing was measured.
        clean: the clean model with its verdict: the baseline of every figure.
        candidates: in the order tried.
        chosen: one of `candidates`, or `clean`.
        looks: finalists that saw the evaluation split.
    """

    job: Job
    passes: tuple[PassReport, ...]
    calibration: Calibration
    clean_cost: Cost | None
    clean: Candidate
    candidates: tuple[Candidate, ...]
    chosen: Candidate
    looks: int


def optimize(job: Job, recipes: Sequence[Recipe] = RECIPES) -> SearchResult:
    """Search for the cheapest model in budget.

    Raises:
        ModelError: the model cannot be optimized or run.
        TaskError: the task breaks a promise.
        TargetError: the target cannot be measured here.
        StorageError: the working folder cannot be written.
    """
    check_measurable(job.target)
    job = replace(job, task=remembering(job.task))
    bench = prepare(job)
    tried = [attempt(recipe, job, bench) for recipe in recipes]
    evaluation = job.predict(bench.clean.file, "evaluation", "scoring fp32", None)
    judged, looks = judge_finalists(shortlist(tried, job), evaluation, job, bench)
    candidates = tuple(judged.get(each.recipe, each) for each in tried)
    chosen = next((each for each in candidates if each.verdict == "chosen"), None)
    clean = replace(
        bench.clean,
        verdict="baseline" if chosen else "chosen",
        why="every figure is against it" if chosen else "nothing cheaper is in budget",
        evaluation=job.judge(evaluation, evaluation),
    )
    return SearchResult(
        job=job,
        passes=bench.passes,
        calibration=bench.calibration,
        clean_cost=bench.clean_cost,
        clean=clean,
        candidates=candidates,
        chosen=chosen or clean,
        looks=looks,
    )


def shortlist(tried: Sequence[Candidate], job: Job) -> list[Candidate]:
    """Candidates worth measuring well, the most promising first.

    Those in budget on the calibration split, cheapest first; then a few that are over it there
    by no more than chance.
    """
    sure = [each for each in tried if each.verdict == "in budget"]
    doubtful = [
        each
        for each in tried
        if each.verdict == "over budget"
        and each.calibration is not None
        and each.calibration.drop.low <= job.goal.max_drop
    ]
    by_cost = sorted(sure, key=_ratio)
    return by_cost + sorted(doubtful, key=_ratio)[:MOST_DOUBTFUL]


def judge_finalists(
    finalists: Sequence[Candidate], evaluation: Predictions, job: Job, bench: Workbench
) -> tuple[dict[Recipe, Candidate], int]:
    """Measure finalists well and show them the evaluation split, one after the other.

    Returns:
        The finalists with their verdicts by recipe, and how many saw the evaluation split.
    """
    judged: dict[Recipe, Candidate] = {}
    looks = 0
    for finalist in finalists:
        if looks == MOST_LOOKS or any(each.verdict == "chosen" for each in judged.values()):
            break
        candidate = measure(finalist, job, bench)
        if candidate.cost is not None and candidate.cost.is_cheaper:
            candidate = look(candidate, evaluation, job)
            looks += 1
        job.progress.note(one_line(candidate))
        judged[candidate.recipe] = candidate
    return judged, looks


def measure(candidate: Candidate, job: Job, bench: Workbench) -> Candidate:
    """Its cost, well enough for a decision."""
    job.progress.start(f"measuring {candidate.recipe} again, for longer", None)
    try:
        cost = bench.meter.measure(bench.clean.file, candidate.file)
    except CrashError as error:
        return replace(candidate, verdict="not made", why=error.problem, cost=None)
    if cost.is_cheaper:
        return replace(candidate, cost=cost)
    why = f"its {cost.kind} is not proven lower than fp32's"
    return replace(candidate, cost=cost, verdict="not cheaper", why=why)


def look(candidate: Candidate, evaluation: Predictions, job: Job) -> Candidate:
    """Its verdict by the evaluation split."""
    total = len(evaluation.labels)
    answers = job.predict(candidate.file, "evaluation", f"judging {candidate.recipe}", total)
    judged = job.judge(evaluation, answers)
    candidate = replace(candidate, evaluation=judged)
    limit = f"{job.goal.max_drop * 100:g}"
    if job.goal.holds(judged.drop):
        return replace(candidate, verdict="chosen", why="the cheapest in budget")
    if job.goal.certify and judged.drop.point <= job.goal.max_drop:
        why = f"the 95 % bound of its drop is {judged.drop.upper * 100:.2f}, over {limit}"
        return replace(candidate, verdict="not certified", why=why)
    why = f"on evaluation the score drops by more than {limit}"
    return replace(candidate, verdict="over budget", why=why)


def _ratio(candidate: Candidate) -> float:
    return candidate.cost.ratio if candidate.cost else float("inf")
