"""Decoders against small outputs worked out by hand."""

import numpy as np
import pytest

from edgekit.decoders import Classify, Ctc, Raw, Text, build
from edgekit.errors import InputError


def one_hot(steps, classes=4):
    return np.eye(classes, dtype=np.float32)[steps][None]


def test_raw_gives_the_outputs_as_they_are():
    outputs = {"y": np.arange(3)}
    assert build(Raw(), None)(outputs) == outputs


def test_classify_names_the_best_classes_in_order():
    labels = build(Classify("y", top_k=2), ["a", "b", "c"])({"y": np.array([[0.1, 0.7, 0.2]])})
    assert [(label.name, label.index) for label in labels] == [("b", 1), ("c", 2)]
    assert labels[0].score == pytest.approx(0.7)


def test_classify_without_labels_calls_classes_by_index():
    assert build(Classify("y", top_k=1), None)({"y": np.array([0.0, 3.0])})[0].name == "1"


def test_ties_go_to_the_lower_index():
    labels = build(Classify("y", top_k=3), None)({"y": np.zeros(3)})
    assert [label.index for label in labels] == [0, 1, 2]


def test_softmax_does_not_overflow():
    scores = np.array([1000.0, 1000.0], np.float32)
    labels = build(Classify("y", softmax=True), None)({"y": scores})
    assert [label.score for label in labels] == [0.5, 0.5]


def test_ctc_merges_repeats_and_drops_blanks():
    text = build(Ctc("y", blank=0), ["", "a", "b", " "])({"y": one_hot([0, 1, 1, 0, 1, 3, 2, 2])})
    assert text == Text("aa b", 1.0)


@pytest.mark.parametrize("steps", [[], [0, 0]])
def test_ctc_of_nothing_is_empty_text(steps):
    output = one_hot(np.array(steps, int))
    assert build(Ctc("y"), None)({"y": output}) == Text("", 1.0)


@pytest.mark.parametrize(
    ("spec", "outputs", "reason"),
    [
        (Classify("z"), {"y": np.zeros(3)}, r"outputs are \['y'\]"),
        (Classify("y"), {"y": np.zeros((2, 3))}, r"shape is \(2, 3\)"),
        (Classify("y"), {"y": np.zeros(4)}, "4 classes and there are 3 labels"),
        (Ctc("y"), {"y": np.zeros((2, 5, 3))}, r"shape is \(2, 5, 3\)"),
        (Ctc("y"), {"y": np.zeros(3)}, r"shape is \(3,\)"),
    ],
)
def test_an_output_that_does_not_fit_is_refused(spec, outputs, reason):
    with pytest.raises(InputError, match=reason):
        build(spec, ["a", "b", "c"])(outputs)
