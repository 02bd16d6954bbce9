"""Whether a candidate's error builds up in a state that the task carries from call to call."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from onnx import ModelProto

from edgekit.engines import Array, Engine, open_engine
from edgekit.task import Run, Task
from edgekit_converters.calibration.calibrate import SPLIT
from edgekit_converters.sensitivity.closeness import PERFECT_DB, decibels

SAMPLES = 4
LONGEST = 64
"""Calls of one sample: an error that builds up shows before."""


class _Enough(BaseException):
    """A sample has made its calls. No error: nobody else may take it for one."""


@dataclass(frozen=True)
class State:
    """How a candidate's outputs stray when it lives on its own state.

    Attributes:
        input: that is fed from an output of the call before.
        output: that output.
        node: that makes it.
        forced_db: signal over noise of the worst output, with the float model's state at each call.
        free_db: likewise, with its own.
        calls: that were compared.
    """

    input: str
    output: str
    node: str
    forced_db: float
    free_db: float
    calls: int


@dataclass
class _Sums:
    signal: dict[str, float] = field(default_factory=dict)
    noise: dict[str, float] = field(default_factory=dict)

    def add(self, expected: Mapping[str, Array], found: Mapping[str, Array]) -> None:
        for name, wanted in expected.items():
            if wanted.dtype.kind == "f" and wanted.shape == found[name].shape:
                wide = wanted.astype(np.float64)
                gap = float(np.square(found[name] - wide).sum())
                self.signal[name] = self.signal.get(name, 0.0) + float(np.square(wide).sum())
                self.noise[name] = self.noise.get(name, 0.0) + gap

    @property
    def db(self) -> float:
        """Of the worst output."""
        every = (decibels(self.signal[name], self.noise[name]) for name in self.signal)
        return min(every, default=PERFECT_DB)


@dataclass
class _Walk:
    """A sample's calls on the float model, with a candidate beside it on the same feeds."""

    model: Engine
    candidate: Engine
    forced: _Sums
    outputs: list[dict[str, Array]] = field(default_factory=list)
    carried: dict[str, str] = field(default_factory=dict)

    def run(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        if len(self.outputs) == LONGEST:
            raise _Enough
        if self.outputs:
            self.carried |= _carried(self.outputs[-1], feeds)
        outputs = self.model.run(feeds)
        self.forced.add(outputs, self.candidate.run(feeds))
        self.outputs.append({name: array.copy() for name, array in outputs.items()})
        return outputs


def follow(model: ModelProto, candidate: bytes, task: Task) -> State | None:
    """Run a few samples with the float model's state and with the candidate's own.

    Args:
        model: clean fp32.
        candidate: an .onnx file with the same inputs and outputs.
        task: whose calibration split and `predict` feed them.

    Returns:
        None where the task carries nothing from call to call.

    Raises:
        ModelError: a model does not load or run.
    """
    engines = [open_engine("onnxruntime", each) for each in (model.SerializeToString(), candidate)]
    forced, free, calls = _Sums(), _Sums(), 0
    carried: dict[str, str] = {}
    try:
        for number, (raw, _label, _group) in enumerate(task.samples(SPLIT)):
            if number == SAMPLES:
                break
            walk = _Walk(engines[0], engines[1], forced)
            _predict(task, walk.run, raw)
            carried |= walk.carried
            if not carried:
                return None
            calls += _live(task, engines[1], raw, walk.outputs, free)
    finally:
        for engine in engines:
            engine.close()
    if not carried:
        return None
    state, output = next(iter(sorted(carried.items())))
    makers = {name: node.name for node in model.graph.node for name in node.output}
    return State(state, output, makers.get(output, output), forced.db, free.db, calls)


def _live(
    task: Task, engine: Engine, raw: Any, expected: list[dict[str, Array]], sums: _Sums
) -> int:
    """The sample on the candidate alone; its calls are compared with the float model's in turn."""
    left = iter(expected)
    done = 0

    def run(feeds: Mapping[str, Array]) -> dict[str, Array]:
        nonlocal done
        wanted = next(left, None)
        if wanted is None:
            raise _Enough
        found = engine.run(feeds)
        sums.add(wanted, found)
        done += 1
        return found

    _predict(task, run, raw)
    return done


def _predict(task: Task, run: Run, raw: Any) -> None:
    with suppress(_Enough):
        task.predict(run, raw)


def _carried(outputs: Mapping[str, Array], feeds: Mapping[str, Array]) -> dict[str, str]:
    """Inputs that hold what an output of the call before was, and are not all alike."""
    return {
        name: output
        for name, array in feeds.items()
        for output, made in outputs.items()
        if array.dtype == made.dtype
        and array.shape == made.shape
        and array.size > 1
        and np.ptp(array) > 0
        and np.array_equal(array, made)
    }
