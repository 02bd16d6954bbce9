"""What a model is for: a user's Python file with samples, predict and score.

    def samples(split):            # "calibration" | "evaluation" → (input, label, group)…
    def predict(run, input):       # optional; run({name: array}) → {name: array}
    def score(predictions, labels) # → float in 0..1, higher is better

Optional names say what travels in the bundle, and make `predict` unnecessary:

    features = {"x": ImageTensor(height_px=48)}   # a feature for a model input
    decoder = Ctc(output="y")                     # or Classify(...), Raw()
    labels = ["a", "b"]                           # name of each class

`docs/writing-a-task.md` explains each. The file may import its neighbours.
"""

import importlib.util
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import numpy as np

from edgekit import decoders
from edgekit.engines import Array
from edgekit.errors import EdgekitError, TaskError
from edgekit.features import Features, build
from edgekit.manifest import DecoderSpec, Feature, RawSpec
from edgekit.model import with_leading_axes

Split = Literal["calibration", "evaluation"]
WAY_OUT = "yield (input, label, group) with finite, non-empty inputs"
SPLITS: tuple[Split, ...] = ("calibration", "evaluation")
Sample = tuple[Any, Any, str]
"""(input, label, group)"""
Run = Callable[[Mapping[str, Array]], dict[str, Array]]
"""One inference call: arrays by input name to arrays by output name."""


@dataclass(frozen=True)
class Task:
    """A loaded task file. Every call checks that the file keeps its promise."""

    path: Path
    module: ModuleType = field(repr=False)
    features: tuple[Feature, ...] = ()
    decoder: DecoderSpec = RawSpec()  # noqa: RUF009 - frozen
    labels: tuple[str, ...] | None = None

    @property
    def thing(self) -> str:
        """What errors call this task."""
        return f"task {str(self.path)!r}"

    def samples(self, split: str) -> Iterator[Sample]:
        """The samples of a split, one at a time, each (input, label, group).

        Raises:
            TaskError: none come, one is not a triple, or an input holds NaN or is empty.
        """
        for number, sample in enumerate(self.any_samples(split)):
            self._check_input(sample[0], f"{split} sample {number}")
            yield sample

    def any_samples(self, split: str) -> Iterator[Sample]:
        """The same, whatever their inputs hold.

        Raises:
            TaskError: none come, or one is not a triple.
        """
        number = -1
        for number, sample in enumerate(self._call("samples", split)):
            yield self._checked(sample, f"{split} sample {number}")
        if number < 0:
            problem = f"samples({split!r}) yields nothing"
            raise TaskError(self.thing, problem, "check where it reads its data from")

    def predict(self, run: Run, input: Any) -> Any:
        """One prediction: the task's own `predict`, or features, run and decoder."""
        if hasattr(self.module, "predict"):
            return self._call("predict", run, input)
        return plain(self._decode(run(self.feeds(input))))

    @property
    def can_predict(self) -> bool:
        """Whether it says how: by features or by a function of its own."""
        return bool(self.features) or callable(getattr(self.module, "predict", None))

    def feeds(self, input: Any) -> dict[str, Array]:
        """The model inputs that the task's features make of one input."""
        return {
            wish.input: with_leading_axes(extract(input), wish.leading_axes)
            for wish, extract in self._extractors
        }

    def score(self, predictions: list[Any], labels: list[Any]) -> float:
        """The score of predictions against labels, 0 to 1.

        Raises:
            TaskError: it is no number, NaN, or outside 0 to 1.
        """
        value = self._call("score", predictions, labels)
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if not 0 <= number <= 1:
            problem = f"score() returned {value!r}, expected a number from 0 to 1"
            raise TaskError(self.thing, problem, "return a score where higher is better")
        return number

    @cached_property
    def _extractors(self) -> tuple[tuple[Feature, Features], ...]:
        return tuple((wish, build(wish.spec)) for wish in self.features)

    @cached_property
    def _decode(self) -> Callable[[Mapping[str, Array]], Any]:
        return decoders.build(self.decoder, self.labels)

    def _call(self, name: str, *arguments: Any) -> Any:
        """Call one of the file's functions; its own errors become a TaskError with the line."""
        try:
            result = getattr(self.module, name)(*arguments)
            return self._stream(name, result) if name == "samples" else result
        except EdgekitError:
            raise
        except (Exception, SystemExit) as error:
            raise self._failure(name, error) from error

    def _stream(self, name: str, samples: Any) -> Iterator[Any]:
        if not isinstance(samples, Iterable):
            problem = f"samples() returned {type(samples).__name__}, expected an iterable"
            raise TaskError(self.thing, problem, "yield (input, label, group)")
        return self._guarded(name, samples)

    def _guarded(self, name: str, samples: Iterable[Any]) -> Iterator[Any]:
        try:
            yield from samples
        except EdgekitError:
            raise
        except (Exception, SystemExit) as error:
            raise self._failure(name, error) from error

    def _failure(self, name: str, error: BaseException) -> TaskError:
        line = _line_in(self.path, error)
        where = f" (line {line})" if line else ""
        problem = f"{name}() raised {type(error).__name__}: {error}{where}"
        return TaskError(self.thing, problem, f"fix {name}() in {self.path.name}")

    def _checked(self, sample: Any, what: str) -> Sample:
        if not isinstance(sample, tuple) or len(sample) != 3:
            problem = f"{what} is {type(sample).__name__}, expected (input, label, group)"
            raise TaskError(self.thing, problem, WAY_OUT)
        input, label, group = sample
        return input, label, str(group)

    def _check_input(self, input: Any, what: str) -> None:
        arrays = input.values() if isinstance(input, Mapping) else (input,)
        for array in arrays:
            if isinstance(array, np.ndarray):
                self._check_array(array, what)

    def _check_array(self, array: Array, what: str) -> None:
        if array.dtype == object and not all(isinstance(each, str) for each in array.flat):
            problem = f"{what} is an array of Python objects, expected numbers or strings"
            raise TaskError(self.thing, problem, WAY_OUT)
        if array.size == 0:
            raise TaskError(self.thing, f"{what} is empty, shape {array.shape}", WAY_OUT)
        if array.dtype.kind in "fc" and not np.isfinite(array).all():
            count = int(np.count_nonzero(~np.isfinite(array)))
            problem = f"{what} has {count} values that are NaN or infinite"
            raise TaskError(self.thing, problem, WAY_OUT)


def load_task(path: str | Path) -> Task:
    """Import a task file; its folder is put on `sys.path` so that it may import its neighbours.

    Raises:
        TaskError: it cannot be imported, or lacks `samples` or `score`, or names features or a
            decoder that are none.
    """
    task = _load(Path(path), ("samples", "score"))
    if not task.can_predict:
        problem = "it has neither features nor predict()"
        raise TaskError(task.thing, problem, "define one of them; see docs/writing-a-task.md")
    return task


def load_data(path: str | Path) -> Task:
    """Import a file with data: a task of which only `samples` is needed.

    Raises:
        TaskError: it cannot be imported, lacks `samples`, or names features or a decoder that are
            none.
    """
    return _load(Path(path), ("samples",))


def _load(path: Path, needed: tuple[str, ...]) -> Task:
    thing = f"task {str(path)!r}"
    module = _import(path, thing)
    for name in needed:
        if not callable(getattr(module, name, None)):
            way_out = f"define {name}; see docs/writing-a-task.md"
            raise TaskError(thing, f"it has no function {name}()", way_out)
    features = _features(module, thing)
    return Task(path, module, features, _decoder(module, thing), _labels(module, thing))


def _import(path: Path, thing: str) -> ModuleType:
    if not path.is_file():
        raise TaskError(thing, "there is no such file", "check the path")
    name = f"edgekit_task_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise TaskError(thing, "it is not a .py file", "name the Python file of the task")
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        line = _line_in(path, error)
        where = f" (line {line})" if line else ""
        problem = f"it cannot be imported: {type(error).__name__}: {error}{where}"
        raise TaskError(thing, problem, "fix the file or install what it imports") from error
    return module


def _features(module: ModuleType, thing: str) -> tuple[Feature, ...]:
    named = getattr(module, "features", {})
    if isinstance(named, Mapping):
        named = tuple(_feature(name, feature, thing) for name, feature in named.items())
    if not isinstance(named, list | tuple) or not all(isinstance(w, Feature) for w in named):
        problem = f"features is {type(named).__name__}, expected {{input name: feature}}"
        raise TaskError(thing, problem, "see docs/writing-a-task.md")
    return tuple(named)


def _feature(name: str, feature: Any, thing: str) -> Feature:
    if not isinstance(feature, Features):
        problem = f"the feature for {name!r} is {type(feature).__name__}"
        raise TaskError(thing, problem, "use one of edgekit.features, such as ImageTensor")
    return Feature(name, feature.spec)


def _decoder(module: ModuleType, thing: str) -> DecoderSpec:
    decoder = getattr(module, "decoder", RawSpec())
    if not isinstance(decoder, DecoderSpec):
        problem = f"decoder is {type(decoder).__name__}"
        raise TaskError(thing, problem, "use Raw, Classify or Ctc of edgekit.decoders")
    return decoder


def _labels(module: ModuleType, thing: str) -> tuple[str, ...] | None:
    labels = getattr(module, "labels", None)
    if labels is None:
        return None
    if not isinstance(labels, list | tuple) or not all(isinstance(label, str) for label in labels):
        raise TaskError(thing, "labels is not a list of strings", "name each class")
    return tuple(labels)


def _line_in(path: Path, error: BaseException) -> int | None:
    """The last line of the task file that an error passed through."""
    if isinstance(error, SyntaxError):
        return error.lineno
    line, traceback = None, error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == str(path):
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line


def plain(value: Any) -> Any:
    """What a score compares: text as str, the best label as its index, outputs as they are."""
    if isinstance(value, decoders.Text):
        return value.text
    if isinstance(value, tuple) and value and isinstance(value[0], decoders.Label):
        return value[0].index
    return value
