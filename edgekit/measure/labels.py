"""What a data set's labels are worth: contradictions, thin classes, and answers that differ."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from msgspec import Struct

from edgekit.measure.accuracy import is_floating, same

SHOWN = 5
SINGLE = (int, str, np.integer, np.bool_)
"""One class or one text."""


class LabelFigures(Struct, frozen=True, omit_defaults=True):
    """A data set's labels, counted.

    Attributes:
        labels: how many samples have one.
        conflicts: inputs that occur with more than one label; None where inputs are no arrays,
            numbers or text, which could be compared.
        conflicting: numbers of some samples with such an input.
        smallest: samples of the smallest classes, those without any included; empty where labels
            are no classes.
        compared: samples whose label was compared with a model's answer.
        disagreements: those where it differs; None where they were not compared.
        not_compared: why they were not.
        disagreeing: numbers of some of them.
        answered_by: the file whose answers these are.
    """

    labels: int
    conflicts: int | None = None
    conflicting: tuple[int, ...] = ()
    smallest: tuple[tuple[str, int], ...] = ()
    compared: int = 0
    disagreements: int | None = None
    not_compared: str | None = None
    disagreeing: tuple[int, ...] = ()
    answered_by: str | None = None


@dataclass
class Labelled:
    """Labels while they are read: each sample's, and a digest of its input."""

    labels: list[Any] = field(default_factory=list)
    digests: list[str | None] = field(default_factory=list)

    def add(self, raw: Any, label: Any) -> None:
        """Note one sample."""
        self.labels.append(label)
        self.digests.append(digest(raw))

    def figures(self, names: Sequence[str] | None) -> LabelFigures:
        """What there is to say without a model.

        Args:
            names: of each class, where the model tells them.
        """
        conflicting = self._conflicting()
        return LabelFigures(
            labels=len(self.labels),
            conflicts=None if conflicting is None else len(conflicting),
            conflicting=tuple(sorted(n for each in conflicting or () for n in each))[:SHOWN],
            smallest=_smallest(self.labels, names),
        )

    def _conflicting(self) -> list[list[int]] | None:
        """The samples of each input that has several labels."""
        if None in self.digests:
            return None
        places: dict[str | None, list[int]] = {}
        for number, each in enumerate(self.digests):
            places.setdefault(each, []).append(number)
        return [
            numbers
            for numbers in places.values()
            if any(not same(self.labels[numbers[0]], self.labels[n]) for n in numbers[1:])
        ]


def why_not_compared(labels: Mapping[int, Any], answers: Mapping[int, Any]) -> str | None:
    """Why labels cannot be held against answers; None where both are classes or text.

    A label may be a set of what is allowed or a whole recording's truth: only `score` knows.
    """
    if any(is_floating(answer) for answer in answers.values()):
        return "answers are floating-point numbers: let predict() return labels or text"
    for number, answer in answers.items():
        label = labels[number]
        if not isinstance(label, SINGLE) or not isinstance(answer, SINGLE):
            kinds = f"labels are {type(label).__name__}, answers {type(answer).__name__}"
            return f"{kinds}: only classes and text can be compared one by one"
    return None


def disagreements(
    labels: Mapping[int, Any], answers: Mapping[int, Any], names: Sequence[str] | None
) -> list[int]:
    """Numbers of the samples whose answer is not their label.

    Args:
        labels: by number of the sample; classes or text.
        answers: likewise.
        names: of each class; a label may be a name where the answer is its place.
    """
    return [
        number
        for number, answer in answers.items()
        if not same(_named(labels[number], names), _named(answer, names))
    ]


def digest(raw: Any) -> str | None:
    """The same for the same input, and no other; None for what cannot be compared."""
    content = hashlib.sha256()
    for part in _parts(raw):
        if part is None:
            return None
        content.update(part)
    return content.hexdigest()


def _parts(raw: Any) -> list[bytes | None]:
    if isinstance(raw, np.ndarray) and raw.dtype != object:
        return [f"{raw.dtype}{raw.shape}".encode(), np.ascontiguousarray(raw).tobytes()]
    if isinstance(raw, Mapping):
        return [part for key in sorted(raw) for part in [f"{key}:".encode(), *_parts(raw[key])]]
    if isinstance(raw, list | tuple):
        return [part for each in raw for part in [b",", *_parts(each)]]
    if isinstance(raw, str | bytes | int | float | np.generic):
        return [f"{type(raw).__name__}{raw!r}".encode()]
    return [None]


def _smallest(labels: Sequence[Any], names: Sequence[str] | None) -> tuple[tuple[str, int], ...]:
    if not all(isinstance(label, SINGLE) for label in labels):
        return ()
    counts = Counter(dict.fromkeys(names or (), 0))
    counts.update(str(_named(label, names)) for label in labels)
    if names is None and len(counts) > len(labels) / 2:  # text that is read, not a class
        return ()
    return tuple(sorted(counts.items(), key=lambda each: (each[1], each[0]))[:SHOWN])


def _named(value: Any, names: Sequence[str] | None) -> Any:
    """A class by its name, where it is the place of one."""
    place = isinstance(value, int | np.integer) and not isinstance(value, bool)
    return names[value] if names and place and 0 <= value < len(names) else value
