import json
import re

import numpy as np
import pytest
from edgekit_converters.importers import read_model
from edgekit_converters.progress import Silent
from edgekit_converters.search.as_is import take_as_is
from edgekit_converters.search.goal import Goal
from edgekit_converters.search.workbench import Job
from edgekit_converters.targets import load_target
from networks import tflite_double

from edgekit import load
from edgekit.cli import main
from edgekit.errors import TaskError
from edgekit.task import load_task

TASK = """
import numpy as np

def samples(split):
    for number in range(4):
        yield np.full((1, 4), float(number), np.float32), 2.0 * number, str(number)

def predict(run, input):
    return float(run({"x": input})["y"].mean())

def score(predictions, labels):
    return float(np.mean(np.array(predictions) == np.array(labels)))
"""


@pytest.fixture
def paths(tmp_path):
    model, task = tmp_path / "double.tflite", tmp_path / "doubling.py"
    model.write_bytes(tflite_double())
    task.write_text(TASK)
    return model, task


def test_a_tflite_model_is_packed_with_its_score_and_runs(paths, tmp_path, capsys):
    model, task = paths
    out = tmp_path / "out"
    line = ["optimize", str(model), "--task", str(task), "--out", str(out)]
    assert main([*line, "--target", "cortex-a53"]) == 0
    assert "1.0000" in capsys.readouterr().out
    names = sorted(path.name for path in out.iterdir())
    assert names == ["double-1.edgekit", "double-1.evidence.json", "double-1.html"]
    with load(out / "double-1.edgekit", verify="self-test") as packed:
        assert packed.manifest.engine == "litert"
        assert packed.manifest.recipe == "as-is"
        assert (packed.run(np.ones((1, 4), np.float32)).outputs["y"] == 2).all()


def test_on_its_target_the_report_has_latency_and_whether_calls_repeat(paths, tmp_path, capsys):
    model, task = paths
    line = ["optimize", str(model), "--task", str(task), "--out", str(tmp_path / "out"), "--json"]
    assert main(line) == 0
    found = json.loads(capsys.readouterr().out)
    note = found["candidates"][0]["note"]
    assert "4 calls repeat bit for bit" in note
    assert re.search(r"[\d.]+ ms, \d+ calls here", note)


def test_a_task_that_never_runs_it_is_refused(paths, tmp_path):
    model, task = paths
    task.write_text(TASK.replace('float(run({"x": input})["y"].mean())', "0.0"))
    target = load_target("host")
    job = Job(read_model(model), load_task(task), target, Goal(), tmp_path, 0, Silent())
    with pytest.raises(TaskError, match="never ran the model on 4 samples"):
        take_as_is(job)
