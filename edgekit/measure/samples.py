"""What a model is fed while it is timed: given, golden, taken from a task, or synthetic."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgekit.bundle import Bundle
from edgekit.engines import Array, plain
from edgekit.errors import UsageError
from edgekit.manifest import Tensor
from edgekit.measure.contained import contained_model
from edgekit.model import Extractor
from edgekit.selftest import read_golden, read_input
from edgekit.synthetic import draw

if TYPE_CHECKING:
    from edgekit.task import Run, Task

MOST = 32
"""Samples that a worker holds in memory; more would not make the time more typical."""


@dataclass(frozen=True)
class Samples:
    """Inputs for a worker.

    Attributes:
        values: model inputs by name; or with `raw`, what `Model.run` takes.
        raw: whether features and decoder of a bundle are timed too.
        source: where they come from, for reports.
    """

    values: tuple[Any, ...]
    raw: bool
    source: str

    def write(self, folder: Path) -> list[dict[str, str]]:
        """One .npy file an array; returns the paths by input name, "" for a lone raw input."""
        return [_write(sample, folder, number) for number, sample in enumerate(self.values[:MOST])]


def _write(sample: Any, folder: Path, number: int) -> dict[str, str]:
    arrays = sample if isinstance(sample, Mapping) else {"": sample}
    paths = {}
    for place, (name, array) in enumerate(arrays.items()):
        path = folder / f"{number}.{place}.npy"
        np.save(path, plain(array), allow_pickle=False)
        paths[name] = str(path)
    return paths


def given_samples(feeds: Sequence[Mapping[str, Array]]) -> Samples:
    """Feeds that the caller has.

    Raises:
        UsageError: there are none.
    """
    if not feeds:
        raise UsageError("the feeds to time with", "there are none", "give at least one")
    return Samples(tuple(dict(each) for each in feeds), raw=False, source="given feeds")


def golden_samples(path: Path) -> Samples | None:
    """The golden raw inputs of a bundle; None where it has no golden cases."""
    with Bundle.open(path) as bundle:
        cases = read_golden(bundle).cases
        inputs = tuple(read_input(bundle, case) for case in cases)
    if not inputs:
        return None
    return Samples(inputs, raw=True, source=f"{len(inputs)} golden inputs of {path.name}")


def golden_feeds(path: Path) -> Samples | None:
    """The model inputs that a bundle's golden inputs become; None where there are none."""
    golden = golden_samples(path)
    if golden is None:
        return None
    with Bundle.open(path) as bundle:
        extract = Extractor(bundle.manifest.features, bundle.manifest.inputs)
    values = tuple(extract(value) for value in golden.values)
    return Samples(values, raw=False, source=golden.source)


def task_samples(task: "Task", run: "Run", count: int = 8) -> Samples:
    """The model inputs that a task's first evaluation samples lead to, as the model sees them.

    Args:
        task: the task.
        run: one inference of a model, whose answers decide what the task feeds it next.
        count: how many samples.

    Raises:
        TaskError: the task breaks its promise.
    """
    seen: list[dict[str, Array]] = []

    def record(feeds: Mapping[str, Array]) -> dict[str, Array]:
        if len(seen) < MOST:
            seen.append({name: np.array(array) for name, array in feeds.items()})
        return run(feeds)

    for sample, _, _ in islice(task.samples("evaluation"), count):
        task.predict(record, sample)
    return Samples(tuple(seen), raw=False, source=f"{len(seen)} calls of {task.path.name}")


def synthetic_samples(inputs: Sequence[Tensor], seed: int = 0, count: int = 4) -> Samples:
    """Seeded noise: normal floats, integers of 0 and 1; a dimension that may vary is 1.

    Raises:
        InputError: an input holds strings, which noise cannot stand for.
    """
    random = np.random.default_rng(seed)
    values = tuple({t.name: draw(t, None, random) for t in inputs} for _ in range(count))
    return Samples(values, raw=False, source=f"{count} synthetic inputs, seed {seed}")


def model_inputs(path: Path) -> tuple[Tensor, ...]:
    """What a plain model file or a bundle's model must be fed; told by a process of its own.

    Raises:
        CrashError: the model ended or hung that process.
        EdgekitError: it cannot be loaded.
    """
    if path.suffix == ".edgekit":
        with Bundle.open(path) as bundle:
            return bundle.manifest.inputs
    with contained_model(path) as model:
        return model.inputs
