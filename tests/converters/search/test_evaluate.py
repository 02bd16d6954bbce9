import numpy as np
from edgekit_converters.search.evaluate import RememberedTask, predict_with, remembering

from edgekit.task import load_task

COUNTED = """
import numpy as np
made = []

def samples(split):
    for number in range(5):
        made.append(number)
        yield np.full(1000, float(number)), number, str(number)

def predict(run, input):
    total = input.sum()
    input[:] = -1
    return float(total)

def score(predictions, labels):
    return 1.0
"""


def counted(tmp_path):
    path = tmp_path / "counted.py"
    path.write_text(COUNTED)
    return load_task(path)


def run_nothing(feeds):
    return {}


def sums(task):
    return [task.predict(run_nothing, raw) for raw, _, _ in task.samples("calibration")]


def test_samples_are_made_once_and_every_use_has_its_own(tmp_path):
    task = remembering(counted(tmp_path))
    expected = [0.0, 1000.0, 2000.0, 3000.0, 4000.0]
    assert sums(task) == sums(task) == sums(task) == expected
    assert len(task.module.made) == 5


def test_splits_are_kept_apart(tmp_path):
    task = remembering(counted(tmp_path))
    list(task.samples("calibration"))
    list(task.samples("evaluation"))
    assert len(task.module.made) == 10


def test_samples_that_do_not_fit_are_made_again(tmp_path):
    plain = counted(tmp_path)
    task = RememberedTask(plain.path, plain.module, limit_bytes=20_000)
    assert sums(task) == sums(task)
    assert len(task.module.made) == 10


def test_a_pass_that_stops_early_is_not_remembered(tmp_path):
    task = remembering(counted(tmp_path))
    next(task.samples("calibration"))
    assert len(sums(task)) == 5


def test_what_cannot_be_copied_is_made_again(tmp_path):
    path = tmp_path / "unpicklable.py"
    path.write_text(COUNTED.replace("number, str(number)", "(lambda: number), str(number)"))
    task = remembering(load_task(path))
    assert sums(task) == sums(task)


def test_a_model_file_is_scored(conv_path, task):
    answers = predict_with(conv_path, task, "evaluation")
    assert answers.score == 1.0
    assert len(answers.predictions) == 12
    assert np.isin(answers.predictions, range(4)).all()
