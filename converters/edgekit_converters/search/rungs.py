"""The rungs of the ladder: each looks at what was tried and says what to try next.

A rung is a generator of recipes. It may read `tried` between two of them: whoever climbs adds each
candidate there before asking for the next one.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from edgekit.errors import ModelError
from edgekit_converters.recipes.recipe import FP32, Recipe
from edgekit_converters.search.candidate import Candidate
from edgekit_converters.search.elsewhere import elsewhere_rung, untried_rung
from edgekit_converters.search.ladder import facts_of, plain, repaired
from edgekit_converters.search.revert import reverted
from edgekit_converters.search.sparse import sparse_rung
from edgekit_converters.search.tried import Tried, ratio_of
from edgekit_converters.search.workbench import Job, Workbench

STEPS = (6, 9, 12, 18, 25, 33, 40, 50, 60)
"""Percent of the multiplications that pruning takes out."""
MILD = 18
"""Where it starts."""
FAR_OVER = 4.0
"""Limits of the drop beyond which repairs and narrower layers are given up."""
ENOUGH = 2
"""Repairs after which one that is still far over budget gets those only that move weights."""
MOVING = {"equalize", "smooth"}
"""Repairs that take the cause away: channels of very different reach. They are refused at once
where they find none."""
CLEARLY = 0.9
"""A cost below which a recipe that covers more makes its parts unnecessary."""
HALF = 0.5
PARTS = {
    "largeconv": ("conv", "conv+matmul", "all"),
    "pointwise": ("conv", "conv+matmul", "all"),
    "matmul": ("conv+matmul", "all"),
}
"""Operators, and those of recipes that cover all of them."""


Rung = Callable[[Tried, Job, Workbench], Iterator[Recipe]]


def plain_rung(tried: Tried, job: Job, bench: Workbench) -> Iterator[Recipe]:
    """Each recipe that stands for itself; the others enter with a reason."""
    for recipe, cannot in plain(job.target, facts_of(bench.grounds.whole.model)):
        obstacle = cannot or _covered(recipe, tried) or _halved(recipe, tried)
        if obstacle is None:
            yield recipe
        elif tried.find(recipe) is None:
            tried.candidates.append(Candidate(recipe, verdict="not tried", why=obstacle))


def _covered(recipe: Recipe, tried: Tried) -> str | None:
    """Whether a recipe that lowers all of its operators and more is in budget and clearly cheap.

    Ranges found while running are other arithmetic: in transformers they often cost less.
    """
    wider = () if recipe.scheme == "dynamic" else PARTS.get(recipe.operators or "", ())
    for each in tried.candidates:
        is_wider = each.recipe.scheme == "static" and each.recipe.operators in wider
        if is_wider and each.verdict == "in budget" and ratio_of(each) < CLEARLY:
            return f"{each.recipe} lowers more, is in budget and much cheaper"
    return None


def _halved(recipe: Recipe, tried: Tried) -> str | None:
    """Whether something in budget costs less than fp16 can, which halves fp32 at best."""
    best = tried.best()
    if recipe.precision == "fp16" and ratio_of(best) <= HALF:
        return f"{best.recipe} is in budget and costs less than half; fp16 halves at best"
    return None


def repair_rung(tried: Tried, job: Job, bench: Workbench) -> Iterator[Recipe]:
    """The same arithmetic made with more care, until one is in budget."""
    for candidate in tried.tempting():
        for number, recipe in enumerate(repaired(candidate.recipe)):
            closest = tried.closest(candidate.recipe)
            is_far = number >= ENOUGH and closest is not None and _is_far(closest, job)
            if is_far and not MOVING.intersection(recipe.repairs):
                continue
            yield recipe
            found = tried.find(recipe)
            if found is not None and found.verdict == "in budget":
                break


def _is_far(candidate: Candidate, job: Job) -> bool:
    judged = candidate.calibration
    return judged is not None and judged.drop.point > FAR_OVER * job.goal.max_drop


def revert_rung(tried: Tried, job: Job, bench: Workbench) -> Iterator[Recipe]:
    """Layers that hurt most stay float, in what is cheap and over budget."""
    for candidate in tried.tempting():
        base = tried.closest(candidate.recipe)
        if base is None or base.recipe.keep or base.recipe.prune:
            continue
        if base.recipe.scheme not in ("static", "dynamic"):
            continue
        try:
            yield from reverted(base, tried, bench.grounds.whole)
        except ModelError as error:
            job.progress.note(f"  no layers of {base.recipe} are taken back: {error}")


def narrow_rung(tried: Tried, job: Job, bench: Workbench) -> Iterator[Recipe]:
    """Fewer channels: fp32 tells what can be spared, then the best so far goes that way."""
    best = tried.best().recipe
    probe = replace(FP32, prune=MILD)
    yield probe
    found = tried.resolved(probe)
    if found is None or found.calibration is None or _is_far(found, job):
        return
    is_good = found.calibration.drop.point <= job.goal.max_drop
    start = MILD if is_good else STEPS[STEPS.index(MILD) - 1]
    if best == FP32 and is_good:
        start = STEPS[STEPS.index(MILD) + 1]
    yield from _widths(best, start, tried)


def _widths(base: Recipe, start: int, tried: Tried) -> Iterator[Recipe]:
    """More while it is in budget; less while it is not."""
    share, step = start, 1
    while share in STEPS:
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


RUNGS: tuple[Rung, ...] = (
    untried_rung,
    plain_rung,
    repair_rung,
    revert_rung,
    narrow_rung,
    elsewhere_rung,
    sparse_rung,
)
"""In this order: each starts where those before it ended."""
