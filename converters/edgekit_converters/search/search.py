"""The search: climb the ladder, ship the cheapest in budget, or fp32.

Calibration data finds the ranges and compares candidates. Evaluation data judges finalists only,
cheapest first, until one holds; how many looks that took is part of the result.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from edgekit.errors import CrashError, ModelError
from edgekit_converters.calibration.calibrate import Calibration
from edgekit_converters.costs.cost import Cost
from edgekit_converters.explain.explain import explain
from edgekit_converters.explain.explanation import Explanation
from edgekit_converters.passes import PassReport
from edgekit_converters.recipes.recipe import Recipe
from edgekit_converters.search.attempt import attempt
from edgekit_converters.search.candidate import Candidate, Judged, one_line
from edgekit_converters.search.effort import PACKING_S
from edgekit_converters.search.evaluate import remembering
from edgekit_converters.search.rungs import RUNGS, Rung
from edgekit_converters.search.tried import Tried, ratio_of
from edgekit_converters.search.workbench import Job, Workbench, prepare

MOST_LOOKS = 3
"""At the evaluation split. Every look makes it a little less unseen."""
MOST_DOUBTFUL = 2
"""Candidates over budget on the calibration split, though not proven so, that may be measured."""
EXPLAINING_S = 10.0
"""CPU seconds that are left for explanations; `edgekit explain` has no limit."""
MEASURING = 2.5
"""How much more than a first look at the cost a second, longer one takes: 1.5 to 2.5 were seen."""
NARROWING = 10.0
"""How much longer than calibrating the first narrowing takes: 1 to 17 times were seen."""
SLOWEST = 1 / 0.97
"""Cost over that of the model that came, of anything that is shipped."""


LARGER = 1.5
"""Of the model that came: a clean one that is no cheaper is not shipped beyond it."""


@dataclass(frozen=True)
class SearchResult:
    """Everything a search found.

    Attributes:
        job: what was asked.
        passes: what became of each pass.
        calibration: ranges and feeds of the clean model.
        measured: where and how cost was measured; empty where nothing was.
        baseline: the model as it came: every figure is against it.
        candidates: in the order tried, the clean fp32 model first.
        chosen: one of `candidates`, or `baseline`.
        looks: finalists that saw the evaluation split.
        unfinished: why the ladder was not climbed to its end; empty where it was.
        explanations: why candidates failed, as many as there was time for.
    """

    job: Job
    passes: tuple[PassReport, ...]
    calibration: Calibration
    measured: str
    baseline: Candidate
    candidates: tuple[Candidate, ...]
    chosen: Candidate
    looks: int
    unfinished: str = ""
    explanations: tuple[Explanation, ...] = ()

    @property
    def front(self) -> tuple[Candidate, ...]:
        """Scored candidates that none other beats in both cost and drop, the cheapest first."""
        scored = [c for c in self.candidates if c.cost is not None and c.judged is not None]
        ordered = sorted(scored, key=lambda c: (ratio_of(c), _drop_of(c)))
        found: list[Candidate] = []
        for each in ordered:
            if not found or _drop_of(each) < _drop_of(found[-1]):
                found.append(each)
        return tuple(found)

    @property
    def clean(self) -> Candidate:
        """The clean fp32 model, or the one that came where nothing was made of it."""
        return next((c for c in self.candidates if c.recipe.name == "fp32"), self.baseline)


def _drop_of(candidate: Candidate) -> float:
    return candidate.judged.drop.point if candidate.judged else float("inf")


def optimize(
    job: Job, rungs: Sequence[Rung] = RUNGS, explaining_s: float = EXPLAINING_S
) -> SearchResult:
    """Search for the cheapest model in budget, and explain why others failed.

    Args:
        job: what is asked.
        rungs: of the ladder.
        explaining_s: CPU seconds for explanations; infinite for all, whatever they take.

    Raises:
        ModelError: the model cannot be optimized or run.
        TaskError: the task breaks a promise.
        TargetError: the device is not the target.
        DeviceError: the device cannot be reached.
        StorageError: the working folder cannot be written.
    """
    job = replace(job, task=remembering(job.task))
    bench = prepare(job)
    tried, unfinished = climb(rungs, job, bench)
    judged, looks = judge_finalists(shortlist(tried, job), job, bench)
    chosen = next((each for each in judged.values() if each.verdict == "chosen"), None)
    if chosen is None:
        clean = judged.get(bench.clean.recipe, bench.clean)
        chosen = fallback(clean, job, bench)
        judged[chosen.recipe] = chosen
    candidates = tuple(judged.get(each.recipe, each) for each in tried)
    latest_s = min(job.effort.spent_s + explaining_s, job.effort.limit_s - PACKING_S)
    if explaining_s == float("inf"):
        latest_s = explaining_s
    return SearchResult(
        job=job,
        passes=bench.passes,
        calibration=bench.grounds.whole.calibration,
        measured=bench.meter.about,
        baseline=judged.get(bench.source.recipe, bench.source),
        candidates=candidates,
        chosen=chosen,
        looks=looks,
        unfinished=unfinished,
        explanations=explain(job, bench, candidates, latest_s),
    )


def climb(rungs: Sequence[Rung], job: Job, bench: Workbench) -> tuple[tuple[Candidate, ...], str]:
    """Try what each rung asks for, as long as there is time.

    Returns:
        The candidates in order, and why it ended early; empty where it did not.
    """
    tried = Tried([bench.clean], is_slow=bench.meter.is_slow)
    cut: list[str] = []
    for rung in rungs:
        for recipe in job.risks.each(rung.__name__, rung(tried, job, bench), cut):
            if not job.effort.has_room(attempt_s(recipe, job, bench), finishing_s(job)):
                limit = f"of {job.effort.limit_s:g} CPU-seconds there was time for no more"
                return tuple(tried.candidates), f"{limit}, {recipe} was not tried"
            if tried.find(recipe) is None:
                with job.effort.timing("attempt", without="narrowing"):
                    tried.candidates.append(attempt(recipe, job, bench, tried.candidates))
    return tuple(tried.candidates), "; ".join(cut)


def attempt_s(recipe: Recipe, job: Job, bench: Workbench) -> float:
    """CPU seconds that a candidate will take, as far as others tell."""
    effort = job.effort
    narrowing_s = 0.0
    if not bench.grounds.is_there(recipe.prune):
        guess_s = NARROWING * effort.usual_s("calibrating")
        narrowing_s = effort.usual_s("narrowing") or guess_s
    return effort.usual_s("attempt") + narrowing_s


def finishing_s(job: Job) -> float:
    """CPU seconds that judging a finalist, explaining and packing will take."""
    effort = job.effort
    judging_s = MEASURING * effort.usual_s("screen") + effort.usual_s("evaluation")
    return judging_s + EXPLAINING_S + PACKING_S


def shortlist(tried: Sequence[Candidate], job: Job) -> list[Candidate]:
    """Candidates worth measuring well, the most promising first.

    Those in budget on the calibration split, cheapest first; then a few that are over it there
    by no more than chance.
    """
    sure = [each for each in tried if each.verdict == "in budget" and ratio_of(each) < 1]
    doubtful = [
        each
        for each in tried
        if each.verdict == "over budget"
        and each.cost is not None
        and each.calibration is not None
        and each.calibration.drop.low <= job.goal.max_drop
    ]
    return sorted(sure, key=ratio_of) + sorted(doubtful, key=ratio_of)[:MOST_DOUBTFUL]


def judge_finalists(
    finalists: Sequence[Candidate], job: Job, bench: Workbench
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
        wider = next((each for each in judged.values() if _is_narrower(finalist, each)), None)
        if wider is not None:
            why = f"{wider.recipe} has more channels and drops too far on evaluation"
            candidate = replace(finalist, verdict="over budget", why=why)
        else:
            candidate = measure(finalist, job, bench)
        if wider is None and candidate.cost is not None and candidate.cost.is_cheaper:
            candidate = look(candidate, job, bench)
            looks += 1
        job.progress.note(one_line(candidate))
        judged[candidate.recipe] = candidate
    return judged, looks


def _is_narrower(finalist: Candidate, judged: Candidate) -> bool:
    """Whether it lost more channels than one that failed on the evaluation split: no look at it."""
    one, other = finalist.recipe, judged.recipe
    has_failed = judged.evaluation is not None and judged.verdict != "chosen"
    is_same = replace(one, prune=0) == replace(other, prune=0)
    return has_failed and is_same and one.prune > other.prune > 0


def measure(candidate: Candidate, job: Job, bench: Workbench) -> Candidate:
    """Its cost, well enough for a decision."""
    job.progress.start(f"measuring {candidate.recipe} again, for longer", None)
    try:
        cost = job.remember(
            Cost,
            lambda: bench.meter.measure(bench.source.file, candidate.file),
            "measure",
            candidate.sha256,
        )
    except CrashError as error:
        return replace(candidate, verdict="not made", why=error.problem, cost=None)
    if cost.is_cheaper:
        return replace(candidate, cost=cost)
    why = f"its {cost.kind} is not proven lower than fp32's"
    return replace(candidate, cost=cost, verdict="not cheaper", why=why)


def look(candidate: Candidate, job: Job, bench: Workbench) -> Candidate:
    """Its verdict by the evaluation split."""
    total = len(bench.evaluation.labels)

    def judge() -> Judged:
        job.risks.take(candidate.recipe.name)
        what = f"judging {candidate.recipe}"
        answers = job.predict(candidate.file, "evaluation", what, total)
        return job.judge(bench.evaluation, answers)

    try:
        judged = job.remember(Judged, judge, "look", candidate.sha256)
    except ModelError as error:
        return replace(candidate, verdict="not made", why=error.problem)
    candidate = replace(candidate, evaluation=judged)
    limit = f"{job.goal.max_drop * 100:g}"
    if job.goal.holds(judged.drop):
        return replace(candidate, verdict="chosen", why="the cheapest in budget")
    if job.goal.certify and judged.drop.point <= job.goal.max_drop:
        why = f"the 95 % bound of its drop is {judged.drop.upper * 100:.2f}, over {limit}"
        return replace(candidate, verdict="not certified", why=why)
    why = f"on evaluation the score drops by more than {limit}"
    return replace(candidate, verdict="over budget", why=why)


def fallback(clean: Candidate, job: Job, bench: Workbench) -> Candidate:
    """What is shipped where nothing cheaper is in budget: the clean model unless it is slower."""
    why = "nothing cheaper is in budget"
    source = bench.source
    if clean.cost is None or clean.cost.is_dearer or clean.cost.ratio > SLOWEST:
        return replace(source, verdict="chosen", why=f"{why}, and the clean model is slower")
    is_larger = (clean.size_bytes or 0) > LARGER * (source.size_bytes or 0)
    if is_larger and not clean.cost.is_cheaper:
        return replace(source, verdict="chosen", why=f"{why}, and the clean model is larger")
    if clean.evaluation is None:
        clean = look(clean, job, bench)
    if clean.evaluation is None or clean.evaluation.drop.point > job.goal.max_drop:
        return replace(source, verdict="chosen", why=f"{why}, and the clean model answers worse")
    return replace(clean, verdict="chosen", why=why)
