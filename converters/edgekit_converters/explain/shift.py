"""Where evaluation data leaves the ranges that calibration saw. It explains; it chooses nothing."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from itertools import islice

from onnx import ModelProto

from edgekit.task import Sample, Task
from edgekit_converters.calibration.calibrate import SPLIT, Range, Ranges, calibrate

FAR = 1.5
"""Times the reach of calibration: a range that is cut there loses a third of the largest values."""


@dataclass(frozen=True)
class Shift:
    """The first tensor, in graph order, that evaluation takes far outside of its range.

    Attributes:
        node: that makes it; empty for an input of the model.
        tensor: its name.
        calibrated: the range that calibration saw.
        seen: the range on as many samples of evaluation.
        samples: that many, on each side.
        half: the range that the first half of calibration saw.
    """

    node: str
    tensor: str
    calibrated: Range
    seen: Range
    samples: int
    half: Range

    @property
    def factor(self) -> float:
        """How many times farther evaluation reaches."""
        return reach_of(self.seen) / reach_of(self.calibrated)

    @property
    def is_too_small(self) -> bool:
        """Whether calibration does not know its own ranges: its first half saw far less."""
        return reach_of(self.calibrated) > FAR * reach_of(self.half)


@dataclass(frozen=True)
class _Shown(Task):
    """A task whose calibration split is a part of one of its splits."""

    split: str = SPLIT
    count: int = 0

    def samples(self, split: str) -> Iterator[Sample]:
        """See `Task.samples`."""
        return islice(super().samples(self.split), self.count)


def shift(model: ModelProto, task: Task, ranges: Ranges, samples: int) -> Shift | None:
    """Look at as many evaluation samples as calibration had.

    Args:
        model: clean fp32.
        task: whose splits are compared.
        ranges: of all that calibration saw.
        samples: that calibration had.

    Raises:
        ModelError: the model fails on an input.
    """
    seen = calibrate(model, _shown(task, "evaluation", samples)).ranges
    makers = {name: node.name for node in model.graph.node for name in node.output}
    order = [*(each.name for each in model.graph.input), *makers]
    far = [
        name
        for name in order
        if name in seen and name in ranges and reach_of(ranges[name]) > 0
        and reach_of(seen[name]) > FAR * reach_of(ranges[name])
    ]  # fmt: skip
    if not far:
        return None
    name = far[0]
    half = calibrate(model, _shown(task, SPLIT, max(1, samples // 2))).ranges.get(
        name, ranges[name]
    )
    return Shift(makers.get(name, ""), name, ranges[name], seen[name], samples, half)


def reach_of(found: Range) -> float:
    """The greatest magnitude."""
    return max(abs(found.low), abs(found.high))


def _shown(task: Task, split: str, count: int) -> Task:
    known = {each.name: getattr(task, each.name) for each in fields(Task)}
    return _Shown(**known, split=split, count=count)
