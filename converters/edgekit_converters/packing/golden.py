"""Golden cases: a few calibration inputs with what the packed model makes of them here.

Features must come back bit for bit. Outputs may differ a little on another CPU: other vector
widths sum in another order, and in int8 a difference in the last bit can move a value by one step.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import msgspec
import numpy as np

from edgekit.engines import Array, Engine, plain
from edgekit.errors import TaskError
from edgekit.selftest import GOLDEN, Case, Golden
from edgekit.task import Task
from edgekit_converters.calibration.calibrate import SPLIT, Calibration

CASES = 2
CHOICE = 16
"""Samples that the cases are chosen from."""
EXACT_TOLERANCE = 1e-3
"""Of fp32, as a share of an output's largest value: sums in another order differ by less."""
LOWERED_TOLERANCE = 2e-2
"""Of int8 and fp16, likewise: two steps of an 8-bit output."""


@dataclass(frozen=True)
class Example:
    """One input of the model: the raw input where the task has features, and the feeds."""

    raw: Array | None
    feeds: Mapping[str, Array]


def examples(task: Task, engine: Engine, calibration: Calibration) -> list[Example]:
    """The smallest of the first inputs of the calibration split: outputs can be large.

    Raises:
        TaskError: the task's features leave an input of the model out, or its raw inputs are no
            arrays.
    """
    if not task.features:
        return _smallest([Example(None, feeds) for feeds in calibration.feeds])
    check_features(task, engine)
    found = []
    for raw, _label, _group in islice(task.samples(SPLIT), CHOICE):
        if not isinstance(raw, np.ndarray):
            problem = f"its inputs are {type(raw).__name__}, features take arrays"
            raise TaskError(task.thing, problem, "yield arrays, or drop features")
        found.append(Example(raw, task.feeds(raw)))
    return _smallest(found)


def _smallest(found: list[Example]) -> list[Example]:
    def size_bytes(example: Example) -> int:
        return sum(array.nbytes for array in example.feeds.values())

    return sorted(found, key=size_bytes)[:CASES]


def check_features(task: Task, engine: Engine) -> None:
    """Refuse features for some of a model's inputs only.

    Raises:
        TaskError: an input has none, or a feature is for no input.
    """
    inputs = {tensor.name for tensor in engine.inputs}
    made = {feature.input for feature in task.features}
    if made and made != inputs:
        problem = f"its features fill {sorted(made)}, the model's inputs are {sorted(inputs)}"
        raise TaskError(task.thing, problem, "give each input a feature, or none")


def golden_files(found: list[Example], engine: Engine, *, lowered: bool) -> dict[str, bytes]:
    """The files of `golden/`: one case for each example and output.

    Outputs have cases of their own because each has a tolerance of its own. Each case is run for
    itself, in the order of the self-test: an engine may keep state.

    Args:
        found: the examples.
        engine: fresh, and of no use to others afterwards.
        lowered: whether outputs may differ as int8 and fp16 do.
    """
    files: dict[str, bytes] = {}
    cases = []
    for number, example in enumerate(found):
        features = {
            name: _store(files, f"{number}.x{place}", array)
            for place, (name, array) in enumerate(sorted(example.feeds.items()))
        }
        raw = None
        if example.raw is not None:
            path = _store(files, f"{number}.input", example.raw)
            raw = path if len(features) == 1 else dict.fromkeys(features, path)
        for place, name in enumerate(sorted(tensor.name for tensor in engine.outputs)):
            array = engine.run(example.feeds)[name]
            output = {name: _store(files, f"{number}.y{place}", array)}
            share = LOWERED_TOLERANCE if lowered else EXACT_TOLERANCE
            cases.append(Case(raw, features, output, rtol=share, atol=share * _largest(array)))
    files[GOLDEN] = msgspec.json.format(msgspec.json.encode(Golden(1, tuple(cases))), indent=1)
    return files


def _store(files: dict[str, bytes], stem: str, array: Array) -> str:
    path = f"golden/{stem}.npy"
    files[path] = npy(array)
    return path


def npy(array: Array) -> bytes:
    """An array as the content of a .npy file."""
    buffer = io.BytesIO()
    np.save(buffer, plain(array), allow_pickle=False)
    return buffer.getvalue()


def _largest(array: Array) -> float:
    """The largest finite magnitude; 0 where there is none or values are no numbers."""
    if array.dtype.kind not in "fiu" or array.size == 0:
        return 0.0
    wide: Any = array.astype(np.float64)
    return float(np.abs(wide[np.isfinite(wide)]).max(initial=0.0))
