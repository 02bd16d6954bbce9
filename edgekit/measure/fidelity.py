"""What a classifier's answers are worth beyond their score: precision, recall, calibration."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from msgspec import Struct

from edgekit.engines import Array
from edgekit.manifest import ClassifySpec
from edgekit.measure.accuracy import Predictions
from edgekit.measure.estimate import Estimate, estimate
from edgekit.statistics import Floats, Integers
from edgekit.task import Run, Task

BINS = 15
"""Of confidence, as Guo et al. (2017), "On Calibration of Modern Neural Networks", ICML."""

SUM_TOLERANCE = 0.02  # of probabilities that a quantized model answers


class Fidelity(Struct, frozen=True, omit_defaults=True):
    """Macro averages over classes, with intervals over groups; None where they have no meaning.

    Attributes:
        precision: of the classes that were answered or asked for.
        recall: of the classes that were asked for.
        calibration_error: expected gap between confidence and the share that is right.
    """

    precision: Estimate | None = None
    recall: Estimate | None = None
    calibration_error: Estimate | None = None


class Confidences:
    """Listens to a model while a task predicts: how sure it was of each sample.

    Args:
        task: whose decoder names the output that holds probabilities.
        run: one inference of the model.
    """

    def __init__(self, task: Task, run: Run) -> None:
        self._spec = task.decoder if isinstance(task.decoder, ClassifySpec) else None
        self._run = run
        self._seen: list[float] = []
        self._rows: list[float | None] = []

    def run(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """The model's answer, listened to."""
        outputs = self._run(feeds)
        if self._spec is not None and self._spec.output in outputs:
            self._seen.append(_confidence(outputs[self._spec.output], self._spec.softmax))
        return outputs

    def next_sample(self, _: int) -> None:
        """Told after each sample: its confidence, where it took exactly one inference."""
        self._rows.append(self._seen[0] if len(self._seen) == 1 else None)
        self._seen = []

    def values(self) -> Floats | None:
        """The confidence of each sample; None unless every one had a probability."""
        if not self._rows or any(row is None or np.isnan(row) for row in self._rows):
            return None
        return np.array(self._rows, dtype=np.float64)


def fidelity(answers: Predictions, confidences: Floats | None, *, seed: int = 0) -> Fidelity:
    """The figures of one model's answers.

    Args:
        answers: of a classifier: numbers or names, as the labels are.
        confidences: shape (samples,), the probability of each answer.
        seed: of resamples.
    """
    codes = _coded(answers)
    if codes is None:
        return Fidelity()
    predicted, labels = codes

    def interval(statistic: Callable[[Integers], float]) -> Estimate:
        return estimate(statistic, answers.groups, seed=seed, slow=None)

    error = None
    if confidences is not None:
        sure, right = confidences, predicted == labels
        error = interval(lambda i: calibration_error(sure[i], right[i]))
    return Fidelity(
        precision=interval(lambda i: macro_precision(predicted[i], labels[i])),
        recall=interval(lambda i: macro_precision(labels[i], predicted[i], of_given=True)),
        calibration_error=error,
    )


def macro_precision(given: Integers, truth: Integers, *, of_given: bool = False) -> float:
    """Mean over classes of the share of `given` that is `truth`.

    Args:
        given: class of each sample, 0 and up.
        truth: likewise.
        of_given: average over the classes of `given` only; else also those of `truth`, where a
            class that was never given counts 0. With both swapped this is the macro recall.
    """
    count = int(max(given.max(), truth.max())) + 1
    right = np.bincount(given[given == truth], minlength=count)
    total = np.bincount(given, minlength=count)
    classes = total > 0 if of_given else (total > 0) | (np.bincount(truth, minlength=count) > 0)
    return float((right[classes] / np.maximum(total[classes], 1)).mean())


def calibration_error(confidences: Floats, right: np.ndarray[Any, np.dtype[np.bool_]]) -> float:
    """Expected calibration error over `BINS` equal bins of confidence."""
    places = np.minimum((confidences * BINS).astype(np.int64), BINS - 1)
    gaps = np.bincount(places, weights=right - confidences, minlength=BINS)
    return float(np.abs(gaps).sum() / confidences.size)


def _coded(answers: Predictions) -> tuple[Integers, Integers] | None:
    """Predictions and labels as numbers of classes; None where answers are no classes."""
    both = [*answers.predictions, *answers.labels]
    if not all(isinstance(each, int | str | np.integer) for each in both):
        return None
    names = {each: place for place, each in enumerate(dict.fromkeys(both))}
    if len(names) > len(answers.labels) / 2:  # text that is read, not a class that is chosen
        return None
    codes: Integers = np.array([names[each] for each in both], dtype=np.int64)
    return codes[: len(answers.labels)], codes[len(answers.labels) :]


def _confidence(output: Array, softmax: bool) -> float:
    row = np.asarray(output, dtype=np.float64).ravel()
    if softmax:
        powers = np.exp(row - row.max())
        row = powers / powers.sum()
    if row.min() < 0.0 or abs(row.sum() - 1.0) > SUM_TOLERANCE:
        return float("nan")
    return float(min(row.max(), 1.0))
