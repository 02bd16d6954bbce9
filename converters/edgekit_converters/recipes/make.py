"""A recipe made from a clean model: repaired, ranges cut, nodes chosen, rewritten."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from onnx import ModelProto, TensorProto

from edgekit.errors import ModelError
from edgekit.task import Task
from edgekit_converters.calibration.calibrate import Calibration, Range, Ranges, calibrate
from edgekit_converters.calibration.observe import DEFAULT_MEMORY_BYTES, Histograms, histograms
from edgekit_converters.calibration.ranges import LEVELS, cut
from edgekit_converters.calibration.shelf import Shelf
from edgekit_converters.engines import quantize_with
from edgekit_converters.graph import copy_of, float_tensors
from edgekit_converters.passes.contract import largest_error
from edgekit_converters.recipes.fusion import Fused, inspect
from edgekit_converters.recipes.placement import Plan, decide, lowered_operators, weighted_nodes
from edgekit_converters.recipes.quantize import rewrite, signed
from edgekit_converters.recipes.recipe import Ranging, Recipe, Repair
from edgekit_converters.repairs import choose_rounding, correct_biases, equalize, smooth
from edgekit_converters.sensitivity.closeness import PERFECT_DB, compare

CHECKED_FEEDS = 4
SAME_FUNCTION = 1e-3
"""Largest change of an output, as a share of its magnitude, by repairs that keep the function."""


@dataclass(frozen=True)
class Material:
    """What candidates are made from.

    Attributes:
        model: clean fp32.
        task: whose calibration split shows what the model sees.
        calibration: of the model and the task.
        memory_bytes: cap of this process's memory while histograms are collected.
        shelf: where passes over the calibration split are kept.
    """

    model: ModelProto
    task: Task
    calibration: Calibration
    memory_bytes: int = DEFAULT_MEMORY_BYTES
    shelf: Shelf = field(default_factory=Shelf)
    _seen: dict[str, Histograms] = field(default_factory=dict, repr=False, compare=False)
    _cut: dict[tuple[str, int], Ranges] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def histograms(self) -> Histograms:
        """Of every float32 tensor; collected when first asked for.

        Raises:
            ModelError: the memory cap is too small.
        """
        if "all" not in self._seen:
            self._seen["all"] = histograms(
                self.model,
                self.task,
                self.calibration,
                memory_bytes=self.memory_bytes,
                shelf=self.shelf,
            )
        return self._seen["all"]

    def ranges(self, ranging: Ranging, levels: int = 255) -> Ranges:
        """The range of every tensor by a method."""
        if ranging == "minmax":
            return self.calibration.ranges
        if (ranging, levels) not in self._cut:
            floats = float_tensors(self.model)
            found: dict[str, Range] = {
                name: cut(histogram, ranging, levels)
                for name, histogram in self.histograms.items()
                if name in floats
            }
            self._cut[ranging, levels] = found
        return self._cut[ranging, levels]


@dataclass(frozen=True)
class Made:
    """A candidate's model.

    Attributes:
        content: the .onnx file; the same recipe and material give the same bytes.
        changed: how many operators of each type compute in the new precision.
        skipped: nodes that the recipe covers and that stay float, with the reason.
        fused: how onnxruntime runs it.
        repairs: what each repair did, with the gain of all of them together.
    """

    content: bytes
    changed: Mapping[str, int]
    skipped: Mapping[str, str]
    fused: Fused
    repairs: Mapping[Repair, str] = field(default_factory=dict)


def make(recipe: Recipe, material: Material) -> Made:
    """Make a recipe's model. `recipe.prune` is not done here: hand in a pruned model's material.

    Raises:
        ModelError: it cannot be made of this model, with the reason; repairs that find nothing to
            do, change the function, or bring the outputs no nearer, are reasons.
    """
    plain = replace(recipe, repairs=())
    if not recipe.repairs:
        return _make(plain, material, material.model)
    moved, notes = _move(recipe, material)
    ranges = moved.ranges(recipe.ranges, LEVELS[recipe.activation])
    model = _mend(recipe, moved, ranges, notes)
    repaired = _make(plain, moved, model)
    before, after = (
        worst_output_db(material, each.content)
        for each in (_make(plain, material, material.model), repaired)
    )
    gain = f"outputs go from {before:.1f} to {after:.1f} dB"
    if not after > before:
        problem = f"the repairs gain nothing: {gain}"
        raise ModelError(f"recipe {recipe.name!r}", problem, "leave them out")
    return replace(repaired, repairs={each: f"{note}; {gain}" for each, note in notes.items()})


def _make(recipe: Recipe, material: Material, model: ModelProto) -> Made:
    ranges = material.ranges(recipe.ranges, LEVELS[recipe.activation])
    plan = decide(model, recipe, ranges)
    if recipe.engine != "onnxruntime":
        return _made_elsewhere(recipe, material, model, plan)
    made = rewrite(model, plan, ranges)
    return Made(made.content, made.changed, plan.skipped, inspect(made.content))


def _made_elsewhere(recipe: Recipe, material: Material, model: ModelProto, plan: Plan) -> Made:
    chosen = set(plan.nodes)
    excluded = [name for name in weighted_nodes(model) if name not in chosen]
    made = quantize_with(recipe, model, excluded, material.calibration.feeds)
    changed = lowered_operators(made)
    if not changed:
        problem = f"{recipe.engine} left every operator as it was"
        raise ModelError(f"recipe {recipe.name!r}", problem, "this recipe is not for this model")
    content = signed(made, model)
    return Made(content, changed, plan.skipped, inspect(content))


def _move(recipe: Recipe, material: Material) -> tuple[Material, dict[Repair, str]]:
    """Repairs that keep the function, checked on real feeds; then what calibration sees anew."""
    notes: dict[Repair, str] = {}
    model = copy_of(material.model)
    if "equalize" in recipe.repairs:
        notes["equalize"] = _done(recipe, "equalize", equalize(model), "pairs of layers")
    if "smooth" in recipe.repairs:
        count = smooth(model, material.calibration.feeds)
        notes["smooth"] = _done(recipe, "smooth", count, "norms")
    if not notes:
        return material, notes
    error = largest_error(material.model, model, material.calibration.feeds[:CHECKED_FEEDS])
    if not error <= SAME_FUNCTION:
        problem = f"{' and '.join(notes)} changed the outputs by {error:.2g} of their magnitude"
        raise ModelError(f"recipe {recipe.name!r}", problem, "leave it out")
    calibration = calibrate(model, material.task, shelf=material.shelf)
    return replace(material, model=model, calibration=calibration, _seen={}), notes


def _mend(
    recipe: Recipe, material: Material, ranges: Ranges, notes: dict[Repair, str]
) -> ModelProto:
    """Repairs for a recipe's own rounding."""
    model = copy_of(material.model)
    nodes = decide(model, recipe, ranges).nodes
    feeds = material.calibration.feeds
    if "round" in recipe.repairs:
        count = choose_rounding(model, recipe, nodes, feeds)
        notes["round"] = _done(recipe, "round", count, "layers")
    if "bias" in recipe.repairs:
        count = correct_biases(model, recipe, nodes, ranges, feeds)
        notes["bias"] = _done(recipe, "bias", count, "layers")
    return model


def _done(recipe: Recipe, repair: Repair, count: int, what: str) -> str:
    if not count:
        problem = f"{repair} finds no {what} to change"
        raise ModelError(f"recipe {recipe.name!r}", problem, "leave it out")
    return f"{count} {what}"


def worst_output_db(material: Material, content: bytes) -> float:
    """Signal over noise of the candidate's worst floating-point output, on the kept feeds."""
    clean = material.model
    twins = {
        output.name: output.name
        for output in clean.graph.output
        if output.type.tensor_type.elem_type == TensorProto.FLOAT
    }
    found = compare(clean, ModelProto.FromString(content), twins, material.calibration.feeds)
    return min(found.values(), default=PERFECT_DB)
