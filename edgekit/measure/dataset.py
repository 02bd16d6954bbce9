"""A look at a data set through a model: what fits, what it holds, what the model sees and says."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import Struct

from edgekit import decoders
from edgekit.bundle import Bundle
from edgekit.engines import Array, check_feeds
from edgekit.errors import CrashError, EdgekitError, InputError, ModelError, TaskError
from edgekit.manifest import ClassifySpec, Manifest, Tensor
from edgekit.measure.drift import TensorDrift, tensor_drift
from edgekit.measure.labels import LabelFigures, Labelled
from edgekit.model import Extractor, read_labels
from edgekit.reference import Counter, Reference, read_reference
from edgekit.task import Run, Task, plain

ALPHA = 0.05
SHOWN = 5
Answer = Callable[[Run, Any], Any]
"""One prediction: run and input to answer."""


class DataFigures(Struct, frozen=True, omit_defaults=True):
    """A data set, looked at.

    Attributes:
        source: its file and split.
        samples: how many there are.
        groups: independent groups that they form.
        mismatched: samples that the model cannot take: another dtype, shape or name.
        not_finite: samples with a value that is NaN or infinite.
        mismatches: what is wrong with some of the former, one line each.
        not_finites: likewise of the latter.
        drift: each tensor against calibration; empty without a reference.
        no_reference: why there is none.
        labels: what the labels are worth.
    """

    source: str
    samples: int
    groups: int
    mismatched: int
    not_finite: int
    mismatches: tuple[str, ...] = ()
    not_finites: tuple[str, ...] = ()
    drift: tuple[TensorDrift, ...] = ()
    no_reference: str | None = None
    labels: LabelFigures | None = None

    @property
    def left_out(self) -> int:
        """Samples that the model did not answer, for either reason."""
        return self.mismatched + self.not_finite


@dataclass(frozen=True)
class Use:
    """What a file says beyond its model: how to ask it, its classes, its calibration data.

    Attributes:
        answer: one prediction.
        names: of the classes, where it is a classifier that tells them.
        reference: histograms of calibration.
        no_reference: why there are none.
    """

    answer: Answer
    names: tuple[str, ...] | None
    reference: Reference | None
    no_reference: str | None = None


def use_of(path: Path, tasks: Sequence[Task]) -> Use:
    """How to use a model file or bundle on data.

    Args:
        path: of the file.
        tasks: the first that can predict does; else a bundle's own features and decoder do.

    Raises:
        BundleError: the bundle is damaged.
        TaskError: no one says how to predict.
    """
    able = next((task for task in tasks if task.can_predict), None)
    if path.suffix != ".edgekit":
        if able is None:
            problem = "it has no features and no predict(), and the model is no bundle that has"
            raise TaskError(tasks[0].thing, problem, "define one of them, or give --task")
        names = able.labels if isinstance(able.decoder, ClassifySpec) else None
        why = "a plain model file has no histograms of its calibration data: give the bundle"
        return Use(able.predict, names, None, why)
    with Bundle.open(path) as bundle:
        labels, manifest = read_labels(bundle), bundle.manifest
        reference = read_reference(bundle)
    names = labels if isinstance(manifest.decoder, ClassifySpec) else None
    answer = able.predict if able is not None else _own_answer(manifest, labels)
    missing = "the bundle has no histograms of its calibration data: pack it again"
    return Use(answer, names, reference, None if reference else missing)


def _own_answer(manifest: Manifest, labels: tuple[str, ...] | None) -> Answer:
    extract = Extractor(manifest.features, manifest.inputs)
    decode = decoders.build(manifest.decoder, labels)
    return lambda run, raw: plain(decode(run(extract(raw))))


@dataclass
class Look:
    """A look while it is taken.

    Attributes:
        answers: of each sample that the model could take, by its number.
        labelled: the labels of all samples.
        groups: that they come from.
        mismatches: a line for each sample that it could not take.
        not_finites: a line for each sample with a value that is no number.
    """

    answers: dict[int, Any] = field(default_factory=dict)
    labelled: Labelled = field(default_factory=Labelled)
    groups: set[str] = field(default_factory=set)
    mismatches: list[str] = field(default_factory=list)
    not_finites: list[str] = field(default_factory=list)

    def note(self, number: int, error: EdgekitError) -> None:
        """Note a sample that could not be answered."""
        kind = self.not_finites if isinstance(error, NotFiniteError) else self.mismatches
        kind.append(f"sample {number}: {error.thing}: {error.problem}")


class NotFiniteError(InputError):
    """An input holds NaN or infinite values."""


def look_at_data(
    data: Task, split: str, use: Use, inputs: tuple[Tensor, ...], run: Run
) -> tuple[DataFigures, Look]:
    """Ask the model about every sample, and watch what it is fed and says.

    Args:
        data: whose samples to look at.
        split: which of them.
        use: how to ask.
        inputs: what the model takes.
        run: one inference of it.

    Raises:
        CrashError: the model ended or hung the process that ran it.
        TaskError: samples break their promise. A sample that `predict` fails on is a finding.
    """
    look, watch = Look(), Watch(inputs, run, use.reference)
    for number, (raw, label, group) in enumerate(data.any_samples(split)):
        look.groups.add(group)
        look.labelled.add(raw, label)
        watch.group = group
        try:
            _check_raw(raw)
            look.answers[number] = use.answer(watch.run, raw)
        except CrashError:
            raise
        except (InputError, ModelError, TaskError) as error:
            look.note(number, error)
    return _figures(f"{data.path.name}, split {split}", look, watch, use), look


def answers_of(data: Task, split: str, use: Use, run: Run, numbers: set[int]) -> dict[int, Any]:
    """Another model's answers to some samples of a split, by number."""
    samples = enumerate(data.any_samples(split))
    return {n: use.answer(run, raw) for n, (raw, _, _) in samples if n in numbers}


class Watch:
    """Stands between a task and a model: checks what goes in, counts what goes in and comes out."""

    def __init__(self, inputs: tuple[Tensor, ...], run: Run, reference: Reference | None) -> None:
        self.group = ""
        self.counters: dict[str, Counter] = {}
        self._inputs = inputs
        self._run = run
        self._before = reference.tensors() if reference is not None else {}

    def run(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """The model's answer.

        Raises:
            InputError: the model does not take this.
        """
        check_feeds(self._inputs, feeds)
        for name, array in feeds.items():
            check_finite(f"input {name!r}", array)
        outputs = self._run(feeds)
        self._count("input", feeds)
        self._count("output", outputs)
        return outputs

    def drift(self) -> tuple[TensorDrift, ...]:
        """Each tensor against calibration."""
        alpha = ALPHA / max(len(self.counters), 1)  # Bonferroni: 95 % over all of them
        found = (self._before[name] for name in self.counters)
        pairs = zip(self.counters.items(), found, strict=True)
        return tuple(tensor_drift(name, before, now, alpha) for (name, now), before in pairs)

    def _count(self, kind: str, tensors: Mapping[str, Array]) -> None:
        for name, array in tensors.items():
            tensor = f"{kind} {name}"
            if tensor not in self._before:
                continue
            if tensor not in self.counters:
                self.counters[tensor] = self._before[tensor].counter()
            self.counters[tensor].add(array, self.group)


def check_finite(thing: str, array: Array) -> None:
    """Refuse values that are no numbers.

    Raises:
        NotFiniteError: it has NaN or infinite values.
    """
    if array.dtype.kind in "fc" and not np.isfinite(array).all():
        count = int(np.count_nonzero(~np.isfinite(array)))
        problem = f"{count} of {array.size} values are NaN or infinite"
        raise NotFiniteError(thing, problem, "clean the data")


def _check_raw(raw: Any) -> None:
    for array in raw.values() if isinstance(raw, Mapping) else (raw,):
        if not isinstance(array, np.ndarray):
            continue
        if array.size == 0:
            raise InputError("the raw input", f"it is empty, shape {array.shape}", "leave it out")
        check_finite("the raw input", array)


def _figures(source: str, look: Look, watch: Watch, use: Use) -> DataFigures:
    return DataFigures(
        source=source,
        samples=len(look.labelled.labels),
        groups=len(look.groups),
        mismatched=len(look.mismatches),
        not_finite=len(look.not_finites),
        mismatches=tuple(look.mismatches[:SHOWN]),
        not_finites=tuple(look.not_finites[:SHOWN]),
        drift=watch.drift(),
        no_reference=use.no_reference,
        labels=look.labelled.figures(use.names),
    )
