"""What was tried against a cause, what that gave, and what is left to do.

Layers with the same cause are advised together, and what the advice gives is measured.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from edgekit_converters.explain.causes import Cause, Facts
from edgekit_converters.explain.explanation import Answer
from edgekit_converters.explain.trace import Step
from edgekit_converters.recipes.recipe import Recipe
from edgekit_converters.search.candidate import Candidate, describe_cost, describe_drop
from edgekit_converters.search.tried import arithmetic, ratio_of
from edgekit_converters.sensitivity.sensitivity import LayerError

MOST_ANSWERS = 6
HELD = ("chosen", "in budget")
SILENT = ("not tried", "twin", "untried")
Try = Callable[[Recipe], Candidate | None]
"""Makes and measures a recipe; None where there is no time."""


@dataclass(frozen=True)
class Blame:
    """What an answer must do something about.

    Attributes:
        cause: its class; None where it is not known.
        node: where the error starts.
        operator: its type.
        layers: what `keep` counts: every layer that the cause holds for; empty where it is no
            layer's.
        quantized: how many layers the candidate computes in int8.
    """

    cause: Cause | None
    node: str = ""
    operator: str = ""
    layers: tuple[int, ...] = ()
    quantized: int = 0


def sharing(
    cause: Cause, facts: Facts, steps: Sequence[Step], layers: Iterable[LayerError]
) -> tuple[int, ...]:
    """Every quantized layer for which a cause holds, the one where the error starts among them."""
    by_node = {each.node: each for each in layers if each.is_quantized}
    found = {
        layer.index
        for step in steps
        if (layer := by_node.get(step.node)) is not None
        and cause.is_local
        and cause.rule(replace(facts, start=step, layer=layer)) is not None
    }
    if facts.layer is not None:
        found.add(facts.layer.index)
    return tuple(sorted(found))


def answers(
    candidate: Candidate, candidates: Sequence[Candidate], blame: Blame
) -> tuple[tuple[Answer, ...], int]:
    """What does something about the cause, of the same arithmetic: the nearest to holding first.

    Returns:
        The best of them, and how many more there were.
    """
    cause, recipe = blame.cause, candidate.recipe
    if cause is None:
        return (), 0
    found = [
        each
        for each in candidates
        if each is not candidate
        and each.verdict not in SILENT
        and is_kin(each.recipe, recipe, blame)
        and (cause.answers(each.recipe, recipe) or each.recipe.operators != recipe.operators)
    ]
    found.sort(key=_distance)
    told = [Answer(each.recipe.name, each.verdict, gave(each)) for each in found[:MOST_ANSWERS]]
    return tuple(told), len(found) - len(told)


def _distance(candidate: Candidate) -> tuple[bool, float, float]:
    drop = candidate.judged.drop.point if candidate.judged is not None else float("inf")
    return candidate.verdict not in HELD, drop, ratio_of(candidate)


def is_kin(recipe: Recipe, failed: Recipe, blame: Blame) -> bool:
    """Whether it is the same arithmetic; beside the multiplying nodes it may leave more float."""
    if failed.operators == "all" and not blame.layers and recipe.operators == "conv+matmul":
        recipe = replace(recipe, operators="all")
    return arithmetic(recipe) == arithmetic(failed)


def gave(candidate: Candidate) -> str:
    """Its drop and cost in words; else why there are none."""
    parts = []
    if candidate.judged is not None:
        parts.append(describe_drop(candidate.judged.drop))
    if candidate.cost is not None:
        parts.append(describe_cost(candidate.cost))
    return ", ".join(parts) or candidate.why


def fix(
    candidate: Candidate,
    candidates: Sequence[Candidate],
    advice: str,
    blame: Blame,
    attempt: Try = lambda _: None,
) -> str:
    """What held; else what is left to do, with what it gives, and what else holds.

    Args:
        candidate: that failed.
        candidates: everything that was tried.
        advice: of its cause.
        blame: what must be mended.
        attempt: tries what is advised.
    """
    held = [each for each in candidates if each.verdict in HELD and each.recipe.scheme is not None]
    kin = [each for each in held if is_kin(each.recipe, candidate.recipe, blame)]
    if kin:
        return told_of(min(kin, key=ratio_of))
    parts = [_advised(candidate.recipe, candidates, advice, blame, attempt)] if advice else []
    if held:
        parts.append(f"of other int8, {told_of(min(held, key=ratio_of))}")
    return "; ".join(filter(None, parts))


def told_of(candidate: Candidate) -> str:
    """`int8_static_conv_keep3 holds (chosen): drop 0.1 [-0.2, 0.4], 0.5× [0.49, 0.51]`."""
    return f"{candidate.recipe.name} holds ({candidate.verdict}): {gave(candidate)}"


def _advised(
    recipe: Recipe,
    candidates: Sequence[Candidate],
    advice: str,
    blame: Blame,
    attempt: Try,
) -> str:
    if "{layer}" not in advice:
        return advice
    layers = blame.layers
    if not layers:
        return advice.replace("{layer}", f"{blame.operator} {blame.node}".strip()) + (
            ": a recipe of convolutions and products only (`conv+matmul`) does"
            if recipe.operators == "all"
            else ""
        )
    if len(layers) == blame.quantized:
        return f"all {len(layers)} layers in int8 have this cause: this int8 is not for this model"
    kept = replace(recipe, keep=tuple(sorted({*recipe.keep, *layers})), repairs=())
    tried = next((each for each in candidates if each.recipe == kept), None) or attempt(kept)
    what = f"layer {layers[0]}"
    if len(layers) > 1:
        what = f"the {len(layers)} layers that share the cause ({spans(layers)})"
    says = advice.replace("{layer}", what)
    if tried is None:
        return f"{says}: `{kept.name}`"
    if tried.verdict not in HELD:
        says = f"it is not enough to {says}"
    return f"{says}: {kept.name} gives {gave(tried)} ({tried.verdict})"


def spans(numbers: Sequence[int]) -> str:
    """`0–2, 5` for 0, 1, 2 and 5."""
    found: list[list[int]] = []
    for number in numbers:
        if found and number == found[-1][-1] + 1:
            found[-1].append(number)
        else:
            found.append([number])
    return ", ".join(f"{run[0]}–{run[-1]}" if len(run) > 1 else str(run[0]) for run in found)
