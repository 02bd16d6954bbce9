"""The rungs of the ladder: each looks at what was tried and says what to try next.

A rung is a generator of recipes. It may read `tried` between two of them: whoever climbs adds each
candidate there before asking for the next one.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from edgekit_converters.candidate import Candidate
from edgekit_converters.ladder import facts_of, plain, repaired
from edgekit_converters.recipe import FP32, Recipe
from edgekit_converters.workbench import Job, Workbench

MOST_TEMPTING = 2
"""Cheap candidates over budget that are worth repairing: the cheapest ones."""
MUCH_CHEAPER = 0.97
"""Of the best in budget: what costs more than that is not worth repairing."""
STEPS = (6, 9, 12, 18, 25, 33, 40, 50, 60)
"""Percent of the multiplications that pruning takes out."""
MILD = 18
"""Where it starts."""


@dataclass
class Tried:
    """What was tried so far, in order.

    Attributes:
        candidates: the clean fp32 model first.
        is_slow: whether cost is measured after scoring, so that it may be unknown.
    """

    candidates: list[Candidate] = field(default_factory=list)
    is_slow: bool = False

    def find(self, recipe: Recipe) -> Candidate | None:
        """What became of a recipe; None where it was not tried."""
        return next((each for each in self.candidates if each.recipe == recipe), None)

    def resolved(self, recipe: Recipe) -> Candidate | None:
        """What became of a recipe, or of the one that made the same model before."""
        found = self.find(recipe)
        if found is None or found.verdict != "twin":
            return found
        return next(each for each in self.candidates if each.sha256 == found.sha256)

    def best(self) -> Candidate:
        """The cheapest in budget on calibration; the clean model at worst."""
        found = [each for each in self.candidates if each.verdict == "in budget" and each.cost]
        return min(found, key=ratio_of, default=self.candidates[0])

    def tempting(self) -> list[Candidate]:
        """Over budget, but cheaper than the best in budget, the cheapest first."""
        limit = MUCH_CHEAPER * min(ratio_of(self.best()), 1.0)
        found = [
            each
            for each in self.candidates
            if each.verdict in ("over budget", "hopeless")
            and (ratio_of(each) < limit or (self.is_slow and each.cost is None))
        ]
        return sorted(found, key=ratio_of)[:MOST_TEMPTING]


Rung = Callable[[Tried, Job, Workbench], Iterator[Recipe]]


def ratio_of(candidate: Candidate) -> float:
    """Its cost; infinite where it was not measured."""
    return candidate.cost.ratio if candidate.cost else float("inf")


def plain_rung(tried: Tried, job: Job, bench: Workbench) -> Iterator[Recipe]:
    """Each recipe that stands for itself; the others enter with a reason."""
    for recipe, obstacle in plain(job.target, facts_of(bench.grounds.whole.model)):
        if obstacle is None:
            yield recipe
        elif tried.find(recipe) is None:
            tried.candidates.append(Candidate(recipe, verdict="not tried", why=obstacle))


def repair_rung(tried: Tried, job: Job, bench: Workbench) -> Iterator[Recipe]:
    """The same arithmetic made with more care, until one is in budget."""
    for candidate in tried.tempting():
        for recipe in repaired(candidate.recipe):
            yield recipe
            found = tried.find(recipe)
            if found is not None and found.verdict == "in budget":
                break


def narrow_rung(tried: Tried, job: Job, bench: Workbench) -> Iterator[Recipe]:
    """Fewer channels: of fp32, then of the best so far with what fp32 could spare."""
    yield from _widths(FP32, MILD, tried)
    spared = [each.recipe.prune for each in tried.candidates if _is_narrow_and_good(each)]
    best = tried.best().recipe
    if spared and best.precision != "fp32":
        yield from _widths(best, max(spared), tried)


def _widths(base: Recipe, start: int, tried: Tried) -> Iterator[Recipe]:
    """More while it is in budget; less while it is not."""
    share, step = start, 1 if start else 0
    while share in STEPS and step:
        recipe = replace(base, prune=share)
        yield recipe
        found = tried.resolved(recipe)
        if found is None or found.verdict in ("not made", "not cheaper"):
            return
        wanted = 1 if found.verdict == "in budget" else -1
        if share != start and wanted != step:
            return
        step = wanted
        place = STEPS.index(share) + step
        share = STEPS[place] if 0 <= place < len(STEPS) else 0


def _is_narrow_and_good(candidate: Candidate) -> bool:
    return candidate.recipe.prune > 0 and candidate.verdict == "in budget"


RUNGS: tuple[Rung, ...] = (plain_rung, repair_rung, narrow_rung)
"""In this order: each starts where those before it ended."""
