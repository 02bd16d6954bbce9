"""Why candidates failed: where the error starts, what makes it, what was tried, what is left.

Candidates of the same arithmetic that only differ in ranges, repairs or kept layers are looked at
once, by the plainest of them; the others are what was tried against the cause.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec

from edgekit.errors import ModelError
from edgekit_converters.calibration.ranges import LEVELS
from edgekit_converters.explain.answers import Blame, answers, fix, sharing
from edgekit_converters.explain.beforeafter import before_after, worst_tensors
from edgekit_converters.explain.causes import UNEXPLAINED, Facts, cause_of, merged_integers
from edgekit_converters.explain.explanation import Explanation, LayerBar
from edgekit_converters.explain.operators import times_by_operator
from edgekit_converters.explain.saturation import saturating_pairs
from edgekit_converters.explain.shift import shift
from edgekit_converters.explain.slowness import SLOW_CAUSES, Slowness
from edgekit_converters.explain.state import follow
from edgekit_converters.explain.trace import Step, start_of, trace
from edgekit_converters.recipes.fusion import inspect
from edgekit_converters.recipes.make import Made, make
from edgekit_converters.recipes.recipe import Recipe
from edgekit_converters.search.attempt import attempt
from edgekit_converters.search.candidate import Candidate, describe_cost, describe_drop
from edgekit_converters.search.effort import PACKING_S
from edgekit_converters.search.ground import Ground
from edgekit_converters.search.tried import family, ratio_of
from edgekit_converters.search.workbench import Job, Workbench
from edgekit_converters.sensitivity.sensitivity import LayerError, analyse
from edgekit_converters.targets import Target

FAILED = ("hopeless", "not certified", "not cheaper", "not made", "over budget")
PRUNED = "pruning"
"""Nothing else was changed: widths were narrowed."""
NOT_MADE = "cannot be made of this model"
CHANCE = "too few samples to tell"


def failures(candidates: Sequence[Candidate]) -> list[Candidate]:
    """One failed candidate of each arithmetic: the plainest; those that cost least come first."""
    plainest: dict[object, Candidate] = {}
    for each in candidates:
        if each.verdict in FAILED:
            plainest.setdefault((family(each.recipe), each.verdict == "not cheaper"), each)
    return sorted(plainest.values(), key=_order)


def _order(candidate: Candidate) -> tuple[bool, bool, float]:
    is_narrow = candidate.recipe.prune > 0
    return is_narrow, candidate.verdict == "not made", ratio_of(candidate)


def explain(
    job: Job, bench: Workbench, candidates: Sequence[Candidate], limit_s: float = float("inf")
) -> tuple[Explanation, ...]:
    """Explain the failures.

    Args:
        job: for whom.
        bench: on what.
        candidates: everything that was tried, with verdicts.
        limit_s: no further one is begun when the job has spent so many CPU seconds.
    """
    return tuple(_explained(job, bench, candidates, limit_s))


def _explained(
    job: Job, bench: Workbench, candidates: Sequence[Candidate], limit_s: float
) -> Iterator[Explanation]:
    for candidate in failures(candidates):
        if job.effort.spent_s >= limit_s:
            return
        job.progress.start(f"explaining {candidate.recipe}", None)
        try:
            job.risks.take(f"explaining {candidate.recipe}")
            if candidate.verdict == "not made":
                yield not_made(candidate)
            elif candidate.verdict == "not cheaper":
                yield slow(candidate, job, bench, candidates)
            else:
                yield inaccurate(candidate, job, bench, candidates)
        except ModelError as error:
            yield _unexplained(candidate, error.problem)


def not_made(candidate: Candidate) -> Explanation:
    """What refused it, and why."""
    return msgspec.structs.replace(_unexplained(candidate, candidate.why), cause=NOT_MADE)


def slow(
    candidate: Candidate, job: Job, bench: Workbench, candidates: Sequence[Candidate]
) -> Explanation:
    """Why a candidate costs no less.

    Raises:
        ModelError: a model does not load or run.
    """
    content = candidate.file.read_bytes()
    recipe, ground = candidate.recipe, bench.grounds.at(candidate.recipe.prune)
    if recipe.precision in ("int8", "int4"):
        content = make(recipe, ground.material).content
    fused = inspect(content)
    files = [bench.clean.file, candidate.file]
    before, after = times_by_operator(files, ground.calibration.feeds) if job.is_local else ({}, {})
    found = Slowness(
        recipe, ratio_of(candidate), fused.unfused, fused.conversions, before, after
    )  # fmt: skip
    makers = {name: node.name for node in ground.model.graph.node for name in node.output}
    for name, rule, advice in SLOW_CAUSES:
        proof = rule(found)
        if proof is not None:
            first, operator = next(iter(fused.unfused.items()), ("", ""))
            is_one = name == "op left unfused"
            return Explanation(
                recipe=recipe.name,
                verdict=candidate.verdict,
                symptom=_symptom(candidate),
                node=makers.get(first, first) if is_one else "",
                operator=operator if is_one else "",
                index=None,
                cause=name,
                proof=proof,
                tried=(),
                fix=fix(candidate, candidates, advice, Blame(None)),
                before_us=dict(before),
                after_us=dict(after),
            )
    told = f"{fused.conversions} conversions are left, no operator stands out"
    found_none = _unexplained(candidate, told)
    return msgspec.structs.replace(found_none, before_us=dict(before), after_us=dict(after))


def inaccurate(
    candidate: Candidate, job: Job, bench: Workbench, candidates: Sequence[Candidate]
) -> Explanation:
    """Why a candidate answers worse.

    Raises:
        ModelError: a model does not load or run.
    """
    recipe, ground = candidate.recipe, bench.grounds.at(candidate.recipe.prune)
    if recipe.scheme is None:
        return _in_float(candidate, job)
    found = diagnose(candidate, ground, job.target)
    start = found.facts.start
    cause, node, proof = cause_of(found.facts)
    bar = next((each for each in found.layers if each.node == node), None)
    makers = {each.name: each.op_type for each in ground.model.graph.node}
    index = bar.index if bar is not None else None
    layers: tuple[int, ...] = ()
    if cause is not None and index is not None:
        layers = sharing(cause, found.facts, found.steps, found.errors)
    quantized = sum(each.is_quantized for each in found.errors)
    blame = Blame(cause, node, makers.get(node, ""), layers, quantized)
    tried, further = answers(candidate, candidates, blame)
    advice = cause.advice if cause else ""
    if cause is None and recipe.prune:
        proof = f"{candidate.note}; of what is lost int8 makes little"
        if found.facts.output_db is not None:
            kept = f"its worst output keeps {found.facts.output_db:.0f} dB"
            proof += f": against the narrower model in fp32 {kept}"
        none = _unexplained(candidate, proof)
        return msgspec.structs.replace(none, cause=PRUNED, fix="prune less", layers=found.layers)
    return Explanation(
        recipe=recipe.name,
        verdict=candidate.verdict,
        symptom=_symptom(candidate),
        node=node,
        operator=makers.get(node, ""),
        index=index,
        cause=cause.name if cause is not None else UNEXPLAINED,
        proof=proof,
        tried=tried,
        further=further,
        fix=fix(candidate, candidates, advice, blame, lambda each: trial(each, job, bench)),
        layers=found.layers,
        tensors=before_after(
            ground.material, found.made.content, found.steps, worst_tensors(found.steps, start)
        ),
    )


def _in_float(candidate: Candidate, job: Job) -> Explanation:
    """What was narrowed, or is fp16: no layer is rounded to 8 bits."""
    found, judged = _unexplained(candidate, candidate.note or candidate.why), candidate.judged
    if candidate.recipe.prune:
        return msgspec.structs.replace(found, cause=PRUNED, fix="prune less")
    if judged is None or judged.drop.low > job.goal.max_drop:
        return found
    drop, limit = judged.drop, f"{job.goal.max_drop * 100:g}"
    proof = (
        f"its interval reaches down to {drop.low * 100:.2f}, under the limit of {limit}: "
        f"{drop.samples} samples in {drop.groups} groups cannot tell"
    )
    return msgspec.structs.replace(found, cause=CHANCE, proof=proof, fix="add calibration samples")


def trial(recipe: Recipe, job: Job, bench: Workbench) -> Candidate | None:
    """What is advised, made and measured as the search would; None where there is no time."""
    if not job.effort.has_room(job.effort.usual_s("attempt"), PACKING_S):
        return None
    return attempt(recipe, job, bench)


@dataclass(frozen=True)
class Diagnosis:
    """What was measured of a candidate that answers worse."""

    made: Made
    steps: tuple[Step, ...]
    facts: Facts
    layers: tuple[LayerBar, ...]
    errors: tuple[LayerError, ...]


def diagnose(candidate: Candidate, ground: Ground, target: Target) -> Diagnosis:
    """Measure where a candidate's error starts and all that the rules ask.

    Raises:
        ModelError: a model does not load or run, or the memory cap is too small.
    """
    recipe, material = candidate.recipe, ground.material
    made = make(recipe, material)
    found = analyse(recipe, material, made)
    steps = trace(material, made.content, material.ranges(recipe.ranges, LEVELS[recipe.activation]))
    start = start_of(steps)
    layers = {each.node: each for each in found.layers}
    layer = layers.get(start.node) if start is not None else None
    seen_worse = candidate.evaluation is not None
    calibration = ground.calibration
    facts = Facts(
        recipe,
        start,
        layer,
        output_db=min(found.outputs_db.values(), default=None),
        overflowing=(
            saturating_pairs(material.model, recipe, layer.node)
            if layer is not None and target.saturates and not recipe.seven_bit
            else 0.0
        ),
        merged=next((step for step in steps if merged_integers(step)), None),
        state=follow(material.model, made.content, ground.task),
        shift=(
            shift(material.model, ground.task, calibration.ranges, calibration.samples)
            if seen_worse
            else None
        ),
    )
    bars = {each.node: each for each in _bars(steps, layers)}  # with what merged into it: the last
    return Diagnosis(made, steps, facts, tuple(bars.values()), found.layers)


def _bars(steps: Sequence[Step], layers: dict[str, LayerError]) -> Iterator[LayerBar]:
    for step in steps:
        layer = layers.get(step.node)
        if layer is not None:
            yield LayerBar(
                step.node,
                layer.operator,
                layer.index,
                layer.own_db,
                layer.weights_db,
                layer.activations_db,
                step.db,
                layer.is_quantized,
            )
        elif step.inputs or step.output is not None:
            own = min(each.db for each in (*step.inputs, *([step.output] if step.output else [])))
            yield LayerBar(step.node, step.operator, None, own, None, None, step.db, True)
        elif step.lost_db(20.0) > 0:
            yield LayerBar(step.node, step.operator, None, None, None, None, step.db, False)


def _unexplained(candidate: Candidate, proof: str) -> Explanation:
    return Explanation(
        recipe=candidate.recipe.name,
        verdict=candidate.verdict,
        symptom=_symptom(candidate),
        node="",
        operator="",
        index=None,
        cause=UNEXPLAINED,
        proof=proof,
        tried=(),
        fix="",
    )


def _symptom(candidate: Candidate) -> str:
    if candidate.verdict == "not made":
        return "it could not be made"
    if candidate.verdict == "not cheaper" and candidate.cost is not None:
        return f"it costs {describe_cost(candidate.cost)}"
    if candidate.judged is not None:
        return describe_drop(candidate.judged.drop)
    return candidate.why
