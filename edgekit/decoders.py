"""Model outputs to what the app wants to know: labels, text, or the arrays themselves."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from edgekit.errors import InputError
from edgekit.manifest import ClassifySpec, CtcSpec, DecoderSpec, RawSpec

Array: TypeAlias = NDArray[Any]
Raw = RawSpec
Classify = ClassifySpec
Ctc = CtcSpec

__all__ = ["Classify", "Ctc", "Decoded", "Label", "Raw", "Text", "build"]


@dataclass(frozen=True)
class Label:
    """One class with its score; `name` is its index in decimal where there are no labels."""

    name: str
    index: int
    score: float


@dataclass(frozen=True)
class Text:
    """What a CTC output says, and the mean score of the characters kept (1.0 for none)."""

    text: str
    score: float

    def __str__(self) -> str:
        return self.text


Decoded: TypeAlias = Text | tuple[Label, ...] | dict[str, Array]
Outputs: TypeAlias = Mapping[str, Array]


def build(spec: DecoderSpec, labels: Sequence[str] | None) -> Callable[[Outputs], Decoded]:
    """The decoder that a manifest or a task asks for.

    Args:
        spec: which decoder, and which output it reads.
        labels: name of each class, or None to call classes by their index.
    """
    if isinstance(spec, ClassifySpec):
        return lambda outputs: classify(spec, labels, outputs)
    if isinstance(spec, CtcSpec):
        return lambda outputs: ctc(spec, labels, outputs)
    return dict


def classify(
    spec: ClassifySpec, labels: Sequence[str] | None, outputs: Outputs
) -> tuple[Label, ...]:
    """The `top_k` best classes, best first; ties go to the lower index.

    Raises:
        InputError: the output is not (classes,) or (1, classes), or not as long as the labels.
    """
    scores = _rows(spec.output, outputs, rank=1).astype(np.float64)
    _check_labels(spec.output, labels, len(scores))
    if spec.softmax:
        scores = np.exp(scores - scores.max())
        scores /= scores.sum()
    best = np.argsort(-scores, kind="stable")[: spec.top_k]
    return tuple(Label(_name(labels, i), int(i), float(scores[i])) for i in best)


def ctc(spec: CtcSpec, labels: Sequence[str] | None, outputs: Outputs) -> Text:
    """Greedy CTC: the best class of every step, repeats merged, blanks dropped.

    The score is the mean of the kept steps' outputs as they are: a probability where the model
    ends in a softmax.

    Raises:
        InputError: the output is not (steps, classes) or (1, steps, classes), or its classes
            are not as many as the labels.
    """
    steps = _rows(spec.output, outputs, rank=2)
    _check_labels(spec.output, labels, steps.shape[1])
    best = steps.argmax(axis=1)
    is_new = np.append(True, best[1:] != best[:-1]) if len(best) else np.zeros(0, bool)
    kept = np.flatnonzero(is_new & (best != spec.blank))
    text = "".join(_name(labels, best[step]) for step in kept)
    return Text(text, float(steps[kept, best[kept]].mean()) if len(kept) else 1.0)


def _rows(name: str, outputs: Outputs, rank: int) -> Array:
    """The output without its leading axes of size 1."""
    if name not in outputs:
        problem = f"the model's outputs are {sorted(outputs)}"
        raise InputError(f"output {name!r}", problem, "name one of them in the decoder")
    array = outputs[name]
    while array.ndim > rank and array.shape[0] == 1:
        array = array[0]
    if array.ndim != rank:
        axes = "(classes)" if rank == 1 else "(steps, classes)"
        problem = f"its shape is {outputs[name].shape}, the decoder needs {axes} after axes of 1"
        raise InputError(f"output {name!r}", problem, "choose another decoder or output")
    return array


def _check_labels(name: str, labels: Sequence[str] | None, classes: int) -> None:
    if labels is not None and len(labels) != classes:
        problem = f"it has {classes} classes and there are {len(labels)} labels"
        raise InputError(f"output {name!r}", problem, "give one label for each class")


def _name(labels: Sequence[str] | None, index: int) -> str:
    return str(int(index)) if labels is None else labels[index]
