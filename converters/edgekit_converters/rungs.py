"""The rungs of the ladder: each looks at what was tried and says what to try next.

A rung is a generator of recipes. It may read `tried` between two of them: whoever climbs adds each
candidate there before asking for the next one.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from edgekit_converters.candidate import Candidate
from edgekit_converters.ladder import facts_of, plain, repaired
from edgekit_converters.recipe import FP32, Recipe
from edgekit_converters.revert import reverted
from edgekit_converters.tried import Tried
from edgekit_converters.workbench import Job, Workbench

STEPS = (6, 9, 12, 18, 25, 33, 40, 50, 60)
"""Percent of the multiplications that pruning takes out."""
MILD = 18
"""Where it starts."""


Rung = Callable[[Tried, Job, Workbench], Iterator[Recipe]]


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


def revert_rung(tried: Tried, job: Job, bench: Workbench) -> Iterator[Recipe]:
    """Layers that hurt most stay float, in what is cheap and over budget."""
    for candidate in tried.tempting():
        base = tried.closest(candidate.recipe)
        if base is None or base.recipe.scheme != "static" or base.recipe.keep or base.recipe.prune:
            continue
        yield from reverted(base, tried, bench.grounds.whole)


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


RUNGS: tuple[Rung, ...] = (plain_rung, repair_rung, revert_rung, narrow_rung)
"""In this order: each starts where those before it ended."""
