"""Which layers to leave float, so that a cheap recipe comes into budget: ranked, then measured.

Keeping more layers can make things worse, so no number of worst layers is trusted: sizes are tried
from small to large, and the gap between the last that failed and the first that held is halved. A
layer's own error does not say what becomes of it further on, so the first layers of the graph, the
last ones and whole kinds are tried too. What was kept is then taken back, a third at a time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from edgekit_converters.recipes.make import make
from edgekit_converters.recipes.recipe import Recipe
from edgekit_converters.search.candidate import Candidate
from edgekit_converters.search.ground import Ground
from edgekit_converters.search.tried import Tried, ratio_of
from edgekit_converters.sensitivity.sensitivity import LayerError, analyse

WORST = (1 / 16, 1 / 8, 1 / 4)
"""Of the layers, by their own error."""
FIRST = (1 / 4, 1 / 2, 3 / 4)
"""Of the layers, in graph order: basic-pitch takes int8 only behind its filter bank."""
LAST = (1 / 8, 1 / 4, 1 / 2)
HALVINGS = 2
GROUPS = 3
FEWEST = 3
"""Layers below which there is nothing to choose."""


def kinds(layers: Sequence[LayerError]) -> list[tuple[int, ...]]:
    """Layers that often fail together: depthwise, the ends, and each type of operator."""
    lowered = [layer for layer in layers if layer.is_quantized]
    if not lowered:
        return []
    found = [
        tuple(layer.index for layer in lowered if layer.is_depthwise),
        tuple(sorted({lowered[0].index, lowered[-1].index})),
    ]
    for operator in sorted({layer.operator for layer in lowered}):
        found.append(tuple(layer.index for layer in lowered if layer.operator == operator))
    return [each for each in dict.fromkeys(found) if 0 < len(each) < len(lowered)]


def reverted(base: Candidate, tried: Tried, ground: Ground) -> Iterator[Recipe]:
    """The base with layers kept float, as few and as cheap as hold.

    Raises:
        ModelError: its layers cannot be ranked: the memory cap is too small for it.
    """
    found = analyse(base.recipe, ground.material, make(base.recipe, ground.material))
    order = [layer.index for layer in found.ranked]
    yield from choose_layers(base.recipe, order, kinds(found.layers), tried)


def choose_layers(
    recipe: Recipe, order: Sequence[int], groups: Sequence[tuple[int, ...]], tried: Tried
) -> Iterator[Recipe]:
    """Which layers to keep, each choice measured before the next is made.

    Args:
        recipe: keeps none yet.
        order: layers, the worst first.
        groups: layers that are tried together.
        tried: where what became of each choice is found.
    """
    if len(order) < FEWEST:
        return
    in_graph = sorted(order)
    for layers, shares in ((order, WORST), (in_graph, FIRST), (in_graph[::-1], LAST)):
        yield from _by_size(recipe, layers, shares, tried)
        if _best(recipe, tried) is not None:
            break
    else:
        for group in groups:
            yield _keeping(recipe, group)
    best = _best(recipe, tried)
    if best is not None:
        yield from _taking_back(best, tried)


def _by_size(
    recipe: Recipe, order: Sequence[int], shares: Sequence[float], tried: Tried
) -> Iterator[Recipe]:
    sizes = sorted({max(1, round(share * len(order))) for share in shares})
    failed, held = 0, None
    for size in sizes:
        candidate = _keeping(recipe, order[:size])
        yield candidate
        if _holds(candidate, tried):
            held = size
            break
        failed = size
    for _ in range(HALVINGS):
        if held is None or held - failed < 2:
            return
        middle = (failed + held) // 2
        candidate = _keeping(recipe, order[:middle])
        yield candidate
        if _holds(candidate, tried):
            held = middle
        else:
            failed = middle


def _taking_back(best: Candidate, tried: Tried) -> Iterator[Recipe]:
    """Without each third of what the best one keeps; what holds and is cheaper is the new best."""
    keep = best.recipe.keep
    size = -(-len(keep) // GROUPS)
    for start in range(0, len(keep), size):
        left = tuple(each for each in best.recipe.keep if each not in keep[start : start + size])
        if not left:
            continue
        candidate = replace(best.recipe, keep=left)
        yield candidate
        found = tried.resolved(candidate)
        if found and found.verdict == "in budget" and ratio_of(found) < ratio_of(best):
            best = found


def _keeping(recipe: Recipe, layers: Sequence[int]) -> Recipe:
    return replace(recipe, keep=tuple(sorted(layers)))


def _holds(recipe: Recipe, tried: Tried) -> bool:
    found = tried.resolved(recipe)
    return found is not None and found.verdict in ("in budget", "not cheaper")


def _best(recipe: Recipe, tried: Tried) -> Candidate | None:
    """The cheapest in budget among those that keep layers of the same recipe."""
    found = [
        each
        for each in tried.candidates
        if each.verdict == "in budget"
        and each.recipe.keep
        and replace(each.recipe, keep=()) == recipe
    ]
    return min(found, key=ratio_of, default=None)
