"""What recipes start from: the clean model, or a narrower one, each with its own calibration."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Protocol

from onnx import ModelProto

from edgekit.engines import Array, open_engine
from edgekit.errors import ModelError
from edgekit.task import Task
from edgekit_converters.calibration.calibrate import SPLIT, Calibration, FeedSampler, calibrate
from edgekit_converters.calibration.observe import DEFAULT_MEMORY_BYTES
from edgekit_converters.calibration.shelf import Shelf
from edgekit_converters.progress import Progress
from edgekit_converters.prune import prune
from edgekit_converters.recipes.make import Material
from edgekit_converters.search.effort import Effort
from edgekit_converters.targets import Target

PRUNING_FEEDS = 32
"""Inferences that widths are chosen and layers are fitted on."""
PRUNING_BYTES = 128 << 20
"""Of inputs kept for that; fewer inferences where they are large."""


class Asked(Protocol):
    """What of a job matters here."""

    @property
    def task(self) -> Task: ...  # noqa: D102 - see Job

    @property
    def target(self) -> Target: ...  # noqa: D102 - see Job

    @property
    def seed(self) -> int: ...  # noqa: D102 - see Job

    @property
    def effort(self) -> Effort: ...  # noqa: D102 - see Job

    @property
    def progress(self) -> Progress: ...  # noqa: D102 - see Job

    @property
    def shelf(self) -> Shelf: ...  # noqa: D102 - see Job


@dataclass(frozen=True)
class Ground:
    """A float model that recipes start from.

    Attributes:
        model: clean fp32.
        task: what shows it the calibration split.
        calibration: its ranges, and feeds.
        note: how it differs from the whole model; empty where it does not.
        memory_bytes: cap while histograms are collected.
        shelf: where passes over the calibration split are kept.
    """

    model: ModelProto
    task: Task
    calibration: Calibration
    note: str = ""
    memory_bytes: int = DEFAULT_MEMORY_BYTES
    shelf: Shelf = field(default_factory=Shelf)

    @cached_property
    def material(self) -> Material:
        """What `make` makes candidates from; it keeps the histograms it collects."""
        return Material(self.model, self.task, self.calibration, self.memory_bytes, self.shelf)


@dataclass(frozen=True)
class Grounds:
    """The whole model, and narrower ones made when they are asked for.

    Attributes:
        whole: nothing was removed.
        job: whose task and target.
    """

    whole: Ground
    job: Asked
    _narrow: dict[int, Ground | ModelError] = field(default_factory=dict, repr=False)
    _feeds: list[Mapping[str, Array]] = field(default_factory=list, repr=False)

    def is_there(self, percent: int) -> bool:
        """Whether `at` need not make it, or not again."""
        return percent == 0 or percent in self._narrow

    def at(self, percent: int) -> Ground:
        """The model without so many percent of its multiplications.

        Raises:
            ModelError: nothing can be removed, or too little.
        """
        if percent == 0:
            return self.whole
        if percent not in self._narrow:
            try:
                with self.job.effort.timing("narrowing"):
                    self._narrow[percent] = self._pruned(percent)
            except ModelError as error:
                self._narrow[percent] = error
        found = self._narrow[percent]
        if isinstance(found, ModelError):
            raise found
        return found

    def _pruned(self, percent: int) -> Ground:
        job = self.job
        job.progress.start(f"narrowing layers to save {percent} %", None)
        if not self._feeds:
            self._feeds.extend(sample_feeds(self.whole, job.task, job.seed))
        made = prune(
            self.whole.model, self._feeds, percent / 100, align=job.target.width, seed=job.seed
        )
        job.progress.start("calibrating the narrower model", None)
        calibration = calibrate(
            made.model, job.task, seed=job.seed, progress=job.progress.advance, shelf=job.shelf
        )
        note = f"{len(made.widths)} widths narrowed, {made.saved:.0%} of multiplications saved"
        return replace(self.whole, model=made.model, calibration=calibration, note=note)


def sample_feeds(ground: Ground, task: Task, seed: int) -> list[dict[str, Array]]:
    """Inputs of some calls on the calibration split, drawn evenly.

    Raises:
        TaskError: the task breaks a promise.
        ModelError: the model fails on an input.
    """
    largest = max(sum(a.nbytes for a in feeds.values()) for feeds in ground.calibration.feeds)
    most = max(4, min(PRUNING_FEEDS, PRUNING_BYTES // max(largest, 1)))
    sampler = FeedSampler(seed, most=most)
    engine = open_engine("onnxruntime", ground.model.SerializeToString())

    def run(feeds: Mapping[str, Array]) -> dict[str, Array]:
        outputs = engine.run(feeds)
        sampler.add(feeds)
        return outputs

    try:
        for raw, _label, _group in task.samples(SPLIT):
            task.predict(run, raw)
    finally:
        engine.close()
    return sampler.kept
