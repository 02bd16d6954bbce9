"""Task files: what they may hold, and one clear error for each broken promise."""

import numpy as np
import pytest

from edgekit.errors import TaskError
from edgekit.task import load_task

GOOD = """
import numpy as np

def samples(split):
    for number in range(4):
        yield np.full((1, 8), number, np.float32), number % 2, f"group{number // 2}"

def predict(run, input):
    return int(run({"x": input})["y"][0].argmax())

def score(predictions, labels):
    return sum(p == y for p, y in zip(predictions, labels, strict=True)) / len(labels)
"""


@pytest.fixture
def task_file(tmp_path):
    def write(source, name="task.py"):
        path = tmp_path / name
        path.write_text(source)
        return path

    return write


def test_a_task_gives_samples_predictions_and_a_score(task_file):
    task = load_task(task_file(GOOD))
    samples = list(task.samples("evaluation"))
    assert [(label, group) for _, label, group in samples] == [
        (0, "group0"), (1, "group0"), (0, "group1"), (1, "group1"),
    ]  # fmt: skip
    run = lambda feeds: {"y": np.array([[1.0, 0.0]])}  # noqa: E731
    predictions = [task.predict(run, input) for input, _, _ in samples]
    assert task.score(predictions, [label for _, label, _ in samples]) == 0.5


def test_features_and_a_decoder_stand_in_for_predict(task_file):
    source = """
import numpy as np
from edgekit.decoders import Classify
from edgekit.features import ImageTensor

features = {"pixels": ImageTensor(height_px=2, width_px=2)}
decoder = Classify("y")
labels = ["cat", "dog"]

def samples(split):
    yield np.zeros((4, 4, 3), np.uint8), 1, "a"

def score(predictions, labels):
    return float(predictions == labels)
"""
    task = load_task(task_file(source))
    seen = {}

    def run(feeds):
        seen.update(feeds)
        return {"y": np.array([[0.1, 0.9]])}

    assert task.predict(run, np.zeros((4, 4, 3), np.uint8)) == 1
    assert seen["pixels"].shape == (1, 3, 2, 2)
    assert task.labels == ("cat", "dog")


def test_a_task_may_import_its_neighbours(task_file):
    task_file("WORDS = ['a']", "neighbour_of_the_task.py")
    assert load_task(task_file("from neighbour_of_the_task import WORDS\n" + GOOD)).module.WORDS


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (GOOD.replace("def score", "def rate"), r"it has no function score\(\)"),
        (GOOD.replace("def samples", "def data"), r"it has no function samples\(\)"),
        (GOOD.replace("def predict", "def guess"), r"neither features nor predict\(\)"),
        (GOOD + "\ndef broken(:\n", r"SyntaxError.*line 14"),
        ("import no_such_package_anywhere\n", "no_such_package_anywhere.*line 1"),
        (GOOD + "\nfeatures = 3\n", "features is int"),
        (GOOD + "\nfeatures = {'x': 3}\n", "feature for 'x' is int"),
        (GOOD + "\ndecoder = 'ctc'\n", "decoder is str"),
        (GOOD + "\nlabels = 'abc'\n", None),
        (GOOD + "\nlabels = [1]\n", "labels is not a list of strings"),
    ],
)
def test_a_file_that_breaks_the_promise_is_refused_when_loaded(task_file, source, reason):
    if reason is None:
        reason = "labels is not a list of strings"
    with pytest.raises(TaskError, match=reason):
        load_task(task_file(source))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("return []", "yields nothing"),
        ("return 3", r"samples\(\) returned int"),
        ("yield 3", "sample 0 is int"),
        ("yield np.zeros(3), 1", "sample 0 is tuple"),
        ("yield np.zeros(0), 1, 'a'", r"sample 0 is empty, shape \(0,\)"),
        ("yield np.array([np.nan, 1]), 1, 'a'", "1 values that are NaN"),
        ("yield {'x': np.array([np.inf])}, 1, 'a'", "NaN or infinite"),
        ("yield np.array([None]), 1, 'a'", "array of Python objects"),
        ("yield 1 / 0, 1, 'a'", r"samples\(\) raised ZeroDivisionError.*line 3"),
    ],
)
def test_samples_that_break_the_promise_are_refused(task_file, body, reason):
    source = "import numpy as np\ndef samples(split):\n    " + body
    source += "\ndef predict(run, input): pass\ndef score(predictions, labels): return 1\n"
    with pytest.raises(TaskError, match=reason):
        list(load_task(task_file(source)).samples("calibration"))


@pytest.mark.parametrize("value", ["None", "'high'", "float('nan')", "1.01", "-0.1", "[1]"])
def test_a_score_outside_its_range_is_refused(task_file, value):
    source = (
        GOOD.split("def score", maxsplit=1)[0] + f"def score(predictions, labels): return {value}"
    )
    with pytest.raises(TaskError, match=r"expected a number from 0 to 1"):
        load_task(task_file(source)).score([], [])


def test_a_missing_task_says_so(tmp_path):
    with pytest.raises(TaskError, match="no such file"):
        load_task(tmp_path / "none.py")
