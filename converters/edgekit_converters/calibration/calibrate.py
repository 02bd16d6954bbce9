"""Ranges of every activation over the calibration split, streamed.

The graph is augmented with a ReduceMin and a ReduceMax of each float tensor, so that two scalars
leave the runtime where the tensor would. The task's own `predict` runs on it and sees only the
model's real outputs: stateful models and models called many times a sample need nothing more.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from onnx import ModelProto, TensorProto, helper

from edgekit.engines import Array, Engine, open_engine, plain
from edgekit.errors import ModelError, TaskError
from edgekit.task import Task
from edgekit_converters.calibration.shelf import Place, Shelf, go_over, key_of
from edgekit_converters.graph import constants, copy_of, float_tensors

SPLIT = "calibration"
KEPT_FEEDS = 16
"""Calls of the model whose inputs are kept, for latency and for checking what was made."""
LARGEST_VALUE = 1e30
"""Beyond it a float32 scale would lose all else: attention masks of -inf and -3.4e38."""
_LOW, _HIGH, _SIZE = "/edgekit/low", "/edgekit/high", "/edgekit/size"


@dataclass(frozen=True)
class Range:
    """The least and the greatest value seen."""

    low: float
    high: float

    @property
    def is_usable(self) -> bool:
        """Whether 8 bits can stand for it."""
        return -LARGEST_VALUE < self.low <= self.high < LARGEST_VALUE

    def __or__(self, other: "Range") -> "Range":
        return Range(min(self.low, other.low), max(self.high, other.high))


Ranges: TypeAlias = Mapping[str, Range]


@dataclass(frozen=True)
class Calibration:
    """What the calibration split showed.

    Attributes:
        ranges: by tensor name; tensors that no call computed are missing.
        feeds: inputs of some calls, drawn evenly from all.
        samples: samples seen.
        calls: calls of the model seen.
        elements: by tensor name: the most values that one call gave it.
    """

    ranges: Ranges
    feeds: tuple[dict[str, Array], ...]
    samples: int
    calls: int
    elements: Mapping[str, int] = field(default_factory=dict)


@dataclass
class FeedSampler:
    """Keeps a few of a stream of feeds, each with the same chance (Vitter's algorithm R)."""

    seed: int
    most: int = KEPT_FEEDS
    kept: list[dict[str, Array]] = field(default_factory=list)
    seen: int = 0

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def add(self, feeds: Mapping[str, Array]) -> None:
        """Offer one call's inputs; what is kept is copied."""
        self.seen += 1
        slot = self._random.randrange(self.seen)
        if len(self.kept) < self.most:
            self.kept.append({})
            slot = len(self.kept) - 1
        if slot < self.most:
            self.kept[slot] = {name: plain(array).copy() for name, array in feeds.items()}

    def go_on(self, seen: int, kept: list[dict[str, Array]]) -> None:
        """As if so many had been offered, of which these were kept."""
        self.__post_init__()
        self.seen, self.kept = seen, kept
        for count in range(1, seen + 1):
            self._random.randrange(count)


@dataclass
class RangeObserver:
    """A `run` for the task that remembers the range of every tensor it computes, and some feeds."""

    engine: Engine
    outputs: tuple[str, ...]
    sampler: FeedSampler
    ranges: dict[str, Range] = field(default_factory=dict)
    elements: dict[str, int] = field(default_factory=dict)

    def run(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """One inference; returns the model's own outputs.

        Raises:
            ModelError: a tensor has NaN.
        """
        values = self.engine.run(feeds)
        for name in values:
            if name.endswith(_LOW):
                tensor = name.removesuffix(_LOW)
                self._observe(tensor, float(values[name]), float(values[tensor + _HIGH]))
                size = int(values[tensor + _SIZE])
                self.elements[tensor] = max(self.elements.get(tensor, 0), size)
        self.sampler.add(feeds)
        return {name: values[name] for name in self.outputs}

    def arrays(self) -> dict[str, Array]:
        """See `Collected`."""
        names = sorted(self.ranges)
        found: dict[str, Array] = {
            "names": np.array(names, np.str_),
            "lows": np.array([self.ranges[name].low for name in names]),
            "highs": np.array([self.ranges[name].high for name in names]),
            "sizes": np.array([self.elements[name] for name in names], np.int64),
            "calls": np.array(self.sampler.seen),
            "kept": np.array(len(self.sampler.kept)),
        }
        for number, feeds in enumerate(self.sampler.kept):
            found |= {f"feed{number}:{name}": array for name, array in feeds.items()}
        return found

    def take(self, arrays: Mapping[str, Array]) -> None:
        """See `Collected`."""
        kept: list[dict[str, Array]] = []
        for number in range(int(arrays["kept"])):
            prefix = f"feed{number}:"
            of_it = [name for name in arrays if name.startswith(prefix)]
            kept.append({name.removeprefix(prefix): arrays[name] for name in of_it})
        names = [str(name) for name in arrays["names"]]
        lows, highs = (map(float, arrays[each]) for each in ("lows", "highs"))
        ranges = dict(zip(names, map(Range, lows, highs), strict=True))
        elements = dict(zip(names, map(int, arrays["sizes"]), strict=True))
        self.ranges, self.elements = ranges, elements
        self.sampler.go_on(int(arrays["calls"]), kept)

    def _observe(self, tensor: str, low: float, high: float) -> None:
        if np.isnan(low) or np.isnan(high):
            problem = "it has NaN on a calibration sample"
            raise ModelError(f"tensor {tensor!r}", problem, "check the samples and the model")
        found = Range(low, high)
        self.ranges[tensor] = self.ranges.get(tensor, found) | found


def calibrate(
    model: ModelProto,
    task: Task,
    *,
    seed: int = 0,
    progress: Callable[[int], None] | None = None,
    shelf: Shelf | None = None,
) -> Calibration:
    """Run the calibration split through the model.

    Args:
        model: clean fp32.
        task: whose `predict` feeds it.
        seed: of the choice of feeds to keep.
        progress: called with the number of samples done.
        shelf: where an interrupted pass is kept, and goes on from.

    Raises:
        TaskError: the split never feeds the model, or the task breaks a promise.
        ModelError: the model fails on an input, or a tensor has NaN.
    """
    content = augmented(model, sorted(float_tensors(model))).SerializeToString(deterministic=True)
    engine = open_engine("onnxruntime", content)
    sampler = FeedSampler(seed)
    observer = RangeObserver(engine, tuple(each.name for each in model.graph.output), sampler)
    place = Place(shelf or Shelf(), key_of(b"ranges", content, b"%d" % seed), "ranges")
    try:
        samples = go_over(task, observer.run, observer, place, progress)
    finally:
        engine.close()
    if not sampler.kept:
        raise never_ran(task, samples)
    feeds = tuple(sampler.kept)
    return Calibration(observer.ranges, feeds, samples, sampler.seen, observer.elements)


def first_feeds(engine: Engine, task: Task, count: int) -> list[dict[str, Array]]:
    """Inputs of the first calls of the model on the calibration split, `count` at most.

    Raises:
        TaskError: the split never feeds the model, or the task breaks a promise.
        InputError: `predict` feeds something else than the model takes.
    """
    feeds: list[dict[str, Array]] = []

    def run(call: Mapping[str, Array]) -> dict[str, Array]:
        outputs = engine.run(call)
        if len(feeds) < count:
            feeds.append({name: array.copy() for name, array in call.items()})
        return outputs

    samples = 0
    for raw, _label, _group in task.samples(SPLIT):
        samples += 1
        task.predict(run, raw)
        if len(feeds) == count:
            break
    if not feeds:
        raise never_ran(task, samples)
    return feeds


def never_ran(task: Task, samples: int) -> TaskError:
    """The error for a task that feeds the model nothing."""
    problem = f"predict never ran the model on {samples} samples of {SPLIT!r}"
    way_out = "call run({input name: array}) in predict"
    return TaskError(task.thing, problem, way_out)


def augmented(model: ModelProto, tensors: list[str]) -> ModelProto:
    """The model with the least and greatest value and the size of each tensor as outputs."""
    result = copy_of(model)
    for tensor in tensors:
        for operator, suffix in (("ReduceMin", _LOW), ("ReduceMax", _HIGH), ("Size", _SIZE)):
            name = tensor + suffix
            settings: dict[str, Any] = {} if operator == "Size" else {"keepdims": 0}
            kind = TensorProto.INT64 if operator == "Size" else TensorProto.FLOAT
            result.graph.node.append(
                helper.make_node(operator, [tensor], [name], name=name, **settings)
            )
            result.graph.output.append(helper.make_tensor_value_info(name, kind, []))
    return result


def unusable(model: ModelProto, ranges: Ranges) -> dict[str, str]:
    """Float tensors that 8 bits cannot stand for, with the reason."""
    known = constants(model.graph)
    reasons = {}
    for tensor in sorted(float_tensors(model) - known.keys()):
        if tensor not in ranges:
            reasons[tensor] = f"{tensor!r} was never computed on the calibration split"
        elif not ranges[tensor].is_usable:
            low, high = ranges[tensor].low, ranges[tensor].high
            reasons[tensor] = f"{tensor!r} reaches from {low:.3g} to {high:.3g}"
    return reasons
