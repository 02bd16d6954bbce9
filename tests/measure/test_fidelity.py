import numpy as np
import pytest
from scipy.special import softmax

from edgekit.measure.accuracy import Predictions
from edgekit.measure.fidelity import (
    Confidences,
    calibration_error,
    fidelity,
    macro_precision,
)
from edgekit.task import load_task

TASK = """
from edgekit.decoders import Classify
decoder = Classify(output="p", softmax={softmax})
def samples(split): yield 1, 1, "a"
def predict(run, input): return int(run({{"x": input}})["p"].argmax())
def score(predictions, labels): return 1.0
"""


def answers(predictions, labels):
    groups = [str(i) for i in range(len(labels))]
    return Predictions(list(predictions), list(labels), groups, 0.5)


def test_macro_figures_are_means_over_classes():
    labels, predicted = np.array([0, 0, 0, 1, 2]), np.array([0, 0, 1, 1, 1])
    assert macro_precision(predicted, labels) == pytest.approx((1 + 1 / 3 + 0) / 3)
    recall = macro_precision(labels, predicted, of_given=True)
    assert recall == pytest.approx((2 / 3 + 1 + 0) / 3)


def test_calibration_error_is_the_gap_between_confidence_and_being_right():
    sure = np.full(1000, 0.9)
    right = np.arange(1000) < 900
    assert calibration_error(sure, right) == pytest.approx(0.0, abs=1e-9)
    assert calibration_error(sure, np.arange(1000) < 600) == pytest.approx(0.3)


def test_classes_get_figures_with_intervals_and_text_gets_none():
    random = np.random.default_rng(0)
    labels = random.integers(0, 4, 200).tolist()
    guesses = [label if random.random() < 0.8 else 0 for label in labels]
    found = fidelity(answers(guesses, labels), random.random(200))
    assert found.recall.low < found.recall.point < found.recall.high
    assert found.precision.point > 0.7
    assert found.calibration_error.point > 0
    texts = [f"line {i}" for i in range(50)]
    assert fidelity(answers(texts, texts), None).precision is None
    assert fidelity(answers([0.5] * 8, [1] * 8), None).recall is None


@pytest.mark.parametrize(("flag", "rows"), [(False, 1), (True, 2)])
def test_confidences_are_heard_while_a_task_predicts(tmp_path, flag, rows):
    path = tmp_path / "task.py"
    path.write_text(TASK.format(softmax=flag))
    logits = np.array([[0.0, 2.0, 1.0]])
    given = logits if flag else softmax(logits)
    task = load_task(path)
    heard = Confidences(task, lambda feeds: {"p": given})
    for number in range(rows):
        task.predict(heard.run, 1)
        heard.next_sample(number)
    assert heard.values().tolist() == pytest.approx([float(softmax(logits).max())] * rows)


def test_outputs_that_are_no_probabilities_have_no_confidence(tmp_path):
    path = tmp_path / "task.py"
    path.write_text(TASK.format(softmax=False))
    heard = Confidences(load_task(path), lambda feeds: {"p": np.array([3.0, -1.0])})
    heard.run({})
    heard.next_sample(1)
    assert heard.values() is None
