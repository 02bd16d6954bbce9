"""A recipe made from a clean model: ranges cut, nodes chosen, rewritten, and how it then runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from onnx import ModelProto

from edgekit.task import Task
from edgekit_converters.calibrate import Calibration, Range, Ranges
from edgekit_converters.fusion import Fused, inspect
from edgekit_converters.graph import float_tensors
from edgekit_converters.observe import DEFAULT_MEMORY_BYTES, Histograms, Store, histograms
from edgekit_converters.placement import decide
from edgekit_converters.quantize import rewrite
from edgekit_converters.ranges import LEVELS, cut
from edgekit_converters.recipe import Ranging, Recipe


@dataclass(frozen=True)
class Material:
    """What candidates are made from.

    Attributes:
        model: clean fp32.
        task: whose calibration split shows what the model sees.
        calibration: of the model and the task.
        memory_bytes: cap of this process's memory while histograms are collected.
        store: where histograms are kept between runs.
    """

    model: ModelProto
    task: Task
    calibration: Calibration
    memory_bytes: int = DEFAULT_MEMORY_BYTES
    store: Store | None = None
    _seen: dict[str, Histograms] = field(default_factory=dict, repr=False, compare=False)

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
                store=self.store,
            )
        return self._seen["all"]

    def ranges(self, ranging: Ranging, levels: int = 255) -> Ranges:
        """The range of every tensor by a method."""
        if ranging == "minmax":
            return self.calibration.ranges
        floats = float_tensors(self.model)
        found: dict[str, Range] = {
            name: cut(histogram, ranging, levels)
            for name, histogram in self.histograms.items()
            if name in floats
        }
        return found


@dataclass(frozen=True)
class Made:
    """A candidate's model.

    Attributes:
        content: the .onnx file; the same recipe and material give the same bytes.
        changed: how many operators of each type compute in the new precision.
        skipped: nodes that the recipe covers and that stay float, with the reason.
        fused: how onnxruntime runs it.
    """

    content: bytes
    changed: Mapping[str, int]
    skipped: Mapping[str, str]
    fused: Fused


def make(recipe: Recipe, material: Material) -> Made:
    """Make a recipe's model. `recipe.prune` is not done here: hand in a pruned model's material.

    Raises:
        ModelError: it cannot be made of this model, with the reason.
    """
    ranges = material.ranges(recipe.ranges, LEVELS[recipe.activation])
    plan = decide(material.model, recipe, ranges)
    made = rewrite(material.model, plan, ranges)
    return Made(made.content, made.changed, plan.skipped, inspect(made.content))
