"""Gathering with real models and processes: function, never timing."""

import numpy as np
import onnx
import pytest
from builders import small_files, small_manifest, small_model
from workmodels import endless, matmuls

from edgekit.bundle import write_bundle
from edgekit.errors import BundleError, CrashError, StorageError, TaskError, UsageError
from edgekit.gate.budget import parse_budget
from edgekit.gate.evidence import gather
from edgekit.gate.judge import judge
from edgekit.gate.timed import ENOUGH_CALLS, MOST_CALLS, sampling_for
from edgekit.gate.verdict import Outcome
from edgekit.gate.wanted import Wanted

SIZE = parse_budget({"size": {"max_mb": 1}}, "budget")
RATIO = parse_budget({"latency": {"max_ratio": 1e-6}}, "budget")

TASK = """
import numpy as np
def samples(split):
    random = np.random.default_rng(0)
    for i in range(24):
        yield random.standard_normal((1, 8)).astype(np.float32), 0, str(i)
def predict(run, input):
    return int(run({"x": input})["y"].argmax())
def score(predictions, labels):
    return sum(p == l for p, l in zip(predictions, labels)) / len(labels)
"""


def save(model, path):
    onnx.save(model, path)
    return path


@pytest.fixture
def one(tmp_path):
    return save(small_model(0), tmp_path / "one.onnx")


@pytest.fixture
def other(tmp_path):
    return save(small_model(1), tmp_path / "other.onnx")


@pytest.fixture
def task(tmp_path):
    path = tmp_path / "task.py"
    path.write_text(TASK)
    return path


def test_plain_models_are_timed_on_what_the_task_feeds_them_and_scored(one, other, task):
    found = gather(Wanted(other, (one,), task, max_s=0.1), SIZE)
    assert found.timing.inputs == "8 calls of task.py"
    (against,) = found.accuracy.against
    assert against.drop.samples == 24
    assert against.score - found.accuracy.score.point == pytest.approx(against.drop.point)
    assert found.candidate.file == "other.onnx"
    assert found.baselines[0].model_bytes == one.stat().st_size


def test_without_task_and_golden_inputs_models_are_timed_on_noise(one):
    found = gather(Wanted(one, max_s=0.1, seed=5), SIZE)
    assert found.timing.inputs == "4 synthetic inputs, seed 5"
    assert found.accuracy is None
    assert found.baselines == ()


def test_bundles_are_timed_on_the_candidates_golden_inputs(tmp_path):
    golden = (
        b'{"schema": 1, "cases": [{"input": "golden/0.npy", "features": {}, '
        b'"outputs": {}, "rtol": 0.001, "atol": 0.001}]}'
    )
    np.save(tmp_path / "0.npy", np.ones((1, 8), np.float32))
    raw = (tmp_path / "0.npy").read_bytes()
    path = tmp_path / "small-1.0.edgekit"
    files = small_files() | {"golden/golden.json": golden, "golden/0.npy": raw}
    write_bundle(path, small_manifest(), files)
    found = gather(Wanted(path, (path,), max_s=0.1), SIZE)
    assert found.timing.inputs == "1 golden inputs of small-1.0.edgekit"
    assert found.candidate.answers_like(found.baselines[0])


def test_a_baseline_for_another_target_is_refused(tmp_path, small_bundle):
    other = tmp_path / "other.edgekit"
    write_bundle(other, small_manifest(target="cortex-a76"), small_files())
    with pytest.raises(UsageError, match="made for cortex-a76, the candidate for host"):
        gather(Wanted(small_bundle, (other,)), SIZE)


def test_a_candidate_that_hangs_fails_the_gate(tmp_path):
    hanging = save(endless(), tmp_path / "hanging.onnx")
    fine = save(matmuls(1, 1), tmp_path / "fine.onnx")
    found = gather(Wanted(hanging, timeout_s=3.0), SIZE)
    assert "no answer in 3 s" in found.crash
    assert judge(SIZE, found)[0].outcome is Outcome.FAIL
    with pytest.raises(CrashError, match=r"hanging\.onnx"):
        gather(Wanted(fine, (hanging,), timeout_s=3.0), SIZE)


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("missing.onnx", None, StorageError),
        ("missing.edgekit", None, StorageError),
        ("model.bin", b"x", UsageError),
        ("broken.edgekit", b"not a bundle", BundleError),
    ],
)
def test_a_candidate_that_cannot_be_read_is_an_error_not_a_verdict(tmp_path, name, content, error):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(error, match=name):
        gather(Wanted(path), SIZE)


def test_a_broken_task_is_found_before_anything_is_measured(one, tmp_path):
    (tmp_path / "task.py").write_text("def samples(split): yield 1, 2, 3\n")
    with pytest.raises(TaskError, match="no function score"):
        gather(Wanted(one, task=tmp_path / "task.py"), SIZE)


def test_calls_are_planned_by_what_the_budget_asks(one, other):
    pair, alone = Wanted(one, (other,)), Wanted(one)
    both = parse_budget({"latency": {"max_ratio": 1.05, "p99_ms": 9.0}}, "budget")
    assert sampling_for(both, pair).limits == (1.05,)
    assert sampling_for(both, pair).min_calls == 918
    assert sampling_for(both, pair).max_calls == MOST_CALLS
    assert sampling_for(both, alone).limits == ()
    assert sampling_for(SIZE, alone).max_calls == ENOUGH_CALLS
    assert sampling_for(SIZE, pair).noise
    assert not sampling_for(SIZE, alone).noise


def test_measuring_stops_when_the_ratio_is_clear(one, other):
    found = gather(Wanted(one, (other,)), RATIO)
    assert found.timing.stopped == "every limit is settled"
