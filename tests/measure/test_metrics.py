import pytest

from edgekit.errors import TaskError
from edgekit.measure.accuracy import Predictions
from edgekit.measure.metrics import task_metrics
from edgekit.task import load_task

TASK = """
def samples(split): yield 1, 1, "a"
def predict(run, input): return 1
def score(predictions, labels): return 1.0
"""


def metrics(tmp_path, text):
    path = tmp_path / "task.py"
    path.write_text(TASK + text)
    return task_metrics(load_task(path))


def test_a_task_names_its_metrics(tmp_path):
    (first, second) = metrics(
        tmp_path, 'metrics = {"ones": lambda p, l: p.count(1) / len(p), "zero": lambda p, l: 0}'
    )
    answers = Predictions([1, 2], [1, 1], ["a", "b"], 0.5)
    assert (first.name, first.scored(answers).score) == ("ones", 0.5)
    assert second.scored(answers).score == 0.0


def test_most_tasks_have_none(tmp_path):
    assert metrics(tmp_path, "") == ()


@pytest.mark.parametrize(
    ("value", "problem"),
    [("1 / 0", "raised ZeroDivisionError"), ("1.5", "is 1.5"), ("float('nan')", "is nan"),
     ("'high'", "raised ValueError")],
)  # fmt: skip
def test_a_metric_that_fails_or_is_no_share_is_named(tmp_path, value, problem):
    (metric,) = metrics(tmp_path, f'metrics = {{"odd": lambda p, l: {value}}}')
    with pytest.raises(TaskError, match=f"metric 'odd' {problem}"):
        metric.score([1], [1])


@pytest.mark.parametrize("text", ["metrics = 3", 'metrics = {"recall": 0.5}'])
def test_metrics_that_are_no_functions_are_refused(tmp_path, text):
    with pytest.raises(TaskError, match="expected names and functions"):
        metrics(tmp_path, text)
