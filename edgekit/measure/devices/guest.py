"""Runs one model on an emulated CPU and marks its calls: `python -m edgekit.measure.devices.guest`.

Reads one `Request` from stdin, answers with one `Answered` or `Refused` on stdout. The marks are
system calls that `count.c` sees and Linux refuses.
"""

import ctypes
import gc
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct

from edgekit.engines import Array, engine_for, open_engine
from edgekit.errors import EdgekitError, UsageError
from edgekit.measure.protocol import Refused

GETPRIORITY, MAGIC = 141, 0x65646765
NOTHING, FEATURES, INFERENCE = 1, 2, 3
"""Kinds of regions. The first holds nothing: what a pair of marks costs by itself."""

Feeds = Mapping[str, Array]


class Request(Struct, frozen=True):
    """What to run.

    Attributes:
        path: a .onnx, .tflite or .edgekit file.
        samples: .npy files by input name, or one raw input under the name "".
        raw: whether samples go through the bundle's features.
        calls: calls with each sample that count.
        warm_calls: calls with each sample before.
        max_s: CPU seconds after which what is left gets one call each.
        folder: where features and outputs are written: a folder for each sample.
    """

    path: str
    samples: list[dict[str, str]]
    raw: bool
    calls: int
    warm_calls: int
    max_s: float
    folder: str


class Answered(Struct, frozen=True, tag=True):
    """It ran.

    Attributes:
        runtime: name and version of what ran the model.
        calls: calls with each sample that count: the last ones of those marked.
    """

    runtime: str
    calls: list[int]


def main() -> None:
    """Answer one request."""
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    request = msgspec.json.decode(sys.stdin.buffer.read(), type=Request)
    answer: Answered | Refused
    try:
        answer = run(request, Marks(system_calls()))
    except EdgekitError as error:
        answer = Refused(type(error).__name__, error.thing, error.problem, error.way_out)
    answers.write(msgspec.json.encode(answer) + b"\n")


class Marks:
    """Calls functions between two marks.

    Args:
        mark: called with (kind, sample) before and after.
    """

    def __init__(self, mark: Callable[[int, int], object]) -> None:
        self._mark = mark

    def call(self, kind: int, sample: int, function: Callable[[Any], Any], value: Any) -> Any:
        """`function(value)` as a region."""
        self._mark(kind, sample)
        result = function(value)
        self._mark(kind, sample)
        return result


def system_calls() -> Callable[[int, int], object]:
    """The mark that the plugin sees."""
    call = ctypes.CDLL(None).syscall
    return lambda kind, sample: call(GETPRIORITY, MAGIC, kind, sample)


class Parts:
    """A model file or bundle, opened: features and inference apart.

    Args:
        path: a .onnx, .tflite or .edgekit file.
        raw: whether samples go through the bundle's features.

    Raises:
        UsageError: raw inputs for a file that has no features.
        EdgekitError: it cannot be opened.
    """

    def __init__(self, path: Path, raw: bool) -> None:
        self.features: Callable[[Any], Feeds] = lambda feeds: feeds
        if path.suffix == ".edgekit":
            from edgekit.model import load

            model = load(path, verify="digest")
            self.infer, self.runtime = model.infer, model.runtime
            if raw:
                self.features = model.features
        elif raw:
            problem = "raw inputs need a bundle with features"
            raise UsageError(f"model {str(path)!r}", problem, "pack it first")
        else:
            engine = open_engine(engine_for(path), path)
            self.infer, self.runtime = engine.run, engine.runtime


def run(request: Request, marks: Marks) -> Answered:
    """Run every sample, each region between two equal marks, and write what came out."""
    parts = Parts(Path(request.path), request.raw)
    gc.collect()
    gc.disable()
    try:
        return Answered(parts.runtime, _run_samples(request, parts, marks))
    finally:
        gc.enable()


def _run_samples(request: Request, parts: Parts, marks: Marks) -> list[int]:
    for _ in range(max(request.calls, 3)):
        marks.call(NOTHING, 0, lambda value: value, None)
    deadline = time.process_time() + request.max_s
    return [
        _run_sample(request, parts, marks, number, deadline)
        for number in range(len(request.samples))
    ]


def _run_sample(request: Request, parts: Parts, marks: Marks, number: int, deadline: float) -> int:
    feeds = sample = read_sample(request.samples[number])
    calls, most = 0, request.warm_calls + request.calls
    while calls < most and (calls == 0 or time.process_time() < deadline):
        if request.raw:
            feeds = marks.call(FEATURES, number, parts.features, sample)
        outputs = marks.call(INFERENCE, number, parts.infer, feeds)
        calls += 1
    write_arrays(Path(request.folder) / str(number), feeds if request.raw else {}, outputs)
    return max(1, calls - request.warm_calls)


def read_sample(files: Mapping[str, str]) -> Any:
    """A raw input, or feeds by name; see `Samples.write`."""
    arrays = {name: np.load(path, allow_pickle=False) for name, path in files.items()}
    return arrays.get("", arrays)


def named(features: Feeds, outputs: Feeds) -> dict[str, Array]:
    """What is compared between two machines, strings as plain arrays."""
    arrays = {f"features {name}": array for name, array in features.items()}
    arrays |= {f"output {name}": array for name, array in outputs.items()}
    return {
        name: array.astype(np.str_) if array.dtype == np.object_ else array
        for name, array in arrays.items()
    }


def write_arrays(path: Path, features: Feeds, outputs: Feeds) -> None:
    """One .npy file an array in a folder, with the name of each in `names.json`."""
    path.mkdir()
    arrays = named(features, outputs)
    for number, array in enumerate(arrays.values()):
        np.save(path / f"{number}.npy", array, allow_pickle=False)
    (path / "names.json").write_bytes(msgspec.json.encode(list(arrays)))


def read_arrays(path: Path) -> dict[str, Array]:
    """What `write_arrays` wrote."""
    names = msgspec.json.decode((path / "names.json").read_bytes(), type=list[str])
    return {
        name: np.load(path / f"{number}.npy", allow_pickle=False)
        for number, name in enumerate(names)
    }


if __name__ == "__main__":
    main()
