"""Whether the calibration data is enough: the same recipe calibrated on two disjoint halves.

Ranges that differ between the halves were found by chance; candidates that differ from each other
as much as from fp32 owe their error to the data and not to int8.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace

from onnx import ModelProto, TensorProto

from edgekit.errors import TaskError
from edgekit.task import Sample, Task
from edgekit_converters.calibration.calibrate import SPLIT, Range, calibrate
from edgekit_converters.calibration.shelf import Shelf
from edgekit_converters.recipes.make import Material, make
from edgekit_converters.recipes.recipe import Recipe
from edgekit_converters.sensitivity.closeness import PERFECT_DB, compare


@dataclass(frozen=True)
class Half(Task):
    """A task whose calibration split is every second group, or sample where there is one group.

    Attributes:
        parity: 0 or 1: which half.
        by_group: whether groups are kept together.
    """

    parity: int = 0
    by_group: bool = True

    def samples(self, split: str) -> Iterator[Sample]:
        """See `Task.samples`."""
        seen: dict[str, int] = {}
        for number, sample in enumerate(super().samples(split)):
            place = seen.setdefault(sample[2], len(seen)) if self.by_group else number
            if split != SPLIT or place % 2 == self.parity:
                yield sample


@dataclass(frozen=True)
class Stability:
    """How two halves of the calibration data agree.

    Attributes:
        samples: in each half.
        range_overlap: by tensor: the length of both halves' ranges in common, over that of their
            union; 1 is the same range.
        candidates_db: signal over noise of one half's candidate against the other's, worst output.
        fp32_db: of each half's candidate against fp32, worst output.
    """

    samples: tuple[int, int]
    range_overlap: Mapping[str, float]
    candidates_db: float
    fp32_db: tuple[float, float]

    @property
    def is_stable(self) -> bool:
        """Whether the halves' candidates are nearer to each other than to fp32."""
        return self.candidates_db > min(self.fp32_db)


def calibration_stability(recipe: Recipe, material: Material) -> Stability:
    """Make a recipe twice, from either half of the calibration data.

    Raises:
        TaskError: there are fewer than two samples.
        ModelError: the recipe cannot be made.
    """
    model = material.model
    first, second = halves(material.task)
    materials = [
        replace(material, task=each, calibration=calibrate(model, each), shelf=Shelf(), _seen={})
        for each in (first, second)
    ]
    ranges = [each.ranges(recipe.ranges) for each in materials]
    overlap = {
        name: _overlap(ranges[0][name], ranges[1][name])
        for name in sorted(ranges[0].keys() & ranges[1].keys())
    }
    contents = [ModelProto.FromString(make(recipe, each).content) for each in materials]
    feeds = material.calibration.feeds
    twins = {
        output.name: output.name
        for output in model.graph.output
        if output.type.tensor_type.elem_type == TensorProto.FLOAT
    }

    def worst(one: ModelProto, other: ModelProto) -> float:
        return min(compare(one, other, twins, feeds).values(), default=PERFECT_DB)

    return Stability(
        (materials[0].calibration.samples, materials[1].calibration.samples),
        overlap,
        worst(contents[0], contents[1]),
        (worst(model, contents[0]), worst(model, contents[1])),
    )


def halves(task: Task) -> tuple[Half, Half]:
    """A task with either half of its calibration split.

    Raises:
        TaskError: there are fewer than two samples.
    """
    groups: Counter[str] = Counter()
    for _input, _label, group in task.samples(SPLIT):
        groups[group] += 1
        if len(groups) > 1:
            break
    if groups.total() < 2:
        problem = "one calibration sample has no halves"
        raise TaskError(task.thing, problem, "yield more on the calibration split")
    given = {each.name: getattr(task, each.name) for each in fields(Task)}
    by_group = len(groups) > 1
    return Half(**given, parity=0, by_group=by_group), Half(**given, parity=1, by_group=by_group)


def _overlap(one: Range, other: Range) -> float:
    union = max(one.high, other.high) - min(one.low, other.low)
    common = min(one.high, other.high) - max(one.low, other.low)
    return max(0.0, common / union) if union > 0 else 1.0
