import numpy as np
import onnx
import pytest
from edgekit_converters.calibration import observe
from edgekit_converters.calibration.calibrate import calibrate
from edgekit_converters.calibration.observe import Store, histograms, plan_batches, resident_bytes
from networks import STATEFUL, conv_net, stateful_net, task_of, value

from edgekit.engines import open_engine
from edgekit.errors import ModelError, StorageError


@pytest.fixture
def net():
    return conv_net()


@pytest.fixture
def calibration(net, task):
    return calibrate(net, task)


def test_histograms_are_those_of_every_tensor_on_every_sample(net, task, calibration):
    found = histograms(net, task, calibration)
    whole = onnx.shape_inference.infer_shapes(net)
    del whole.graph.output[:]
    names = ["c1", "r1", "c2", "r2", "g", "f", "y"]
    whole.graph.output.extend(value(name, None) for name in names)
    engine = open_engine("onnxruntime", whole.SerializeToString())
    runs = [engine.run({"x": raw[None]}) for raw, _, _ in task.samples("calibration")]
    assert set(found) == {*names, "x"}
    for name in names:
        every = np.concatenate([run[name].ravel() for run in runs])
        assert found[name].total == len(every)
        middle = np.quantile(every, 0.75, method="inverted_cdf")
        assert found[name].quantile(0.75) == pytest.approx(middle, rel=0.02, abs=1e-3)


def test_a_stateful_model_is_seen_at_every_call(tmp_path):
    task = task_of(tmp_path, STATEFUL)
    model = stateful_net()
    found = histograms(model, task, calibrate(model, task))
    assert found["state"].total == 30 * 4
    assert found["new_state"].high == 25


def test_a_lower_cap_means_more_passes_and_the_same_histograms(net, task, calibration, monkeypatch):
    whole = histograms(net, task, calibration)
    passes = []
    original = observe._observe
    monkeypatch.setattr(
        observe, "_observe", lambda *given: passes.append(given[2]) or original(*given)
    )
    monkeypatch.setattr(observe, "resident_bytes", lambda: 0)
    cap = 3 * net.ByteSize() + 1_300_000
    split = histograms(net, task, calibration, memory_bytes=cap)
    assert len(passes) > 2
    assert all(np.array_equal(split[name].counts, whole[name].counts) for name in whole)


def test_batches_fill_the_memory_and_keep_the_order():
    tally = observe.TALLY_BYTES
    sizes = dict.fromkeys("abcd", 1000)
    assert plan_batches("abcd", sizes, 2 * (tally + 8000)) == [["a", "b"], ["c", "d"]]
    assert plan_batches("", {}, 0) == []


def test_a_cap_that_is_too_small_names_the_tensor_and_what_it_needs(net, task, calibration):
    with pytest.raises(ModelError, match=r"tensor 'c1': 1 MB are needed .* raise --memory"):
        histograms(net, task, calibration, memory_bytes=resident_bytes() // 2)


def counted(task, monkeypatch):
    seen = []
    original = type(task).predict

    def predict(self, run, raw):
        seen.append(1)
        return original(self, run, raw)

    monkeypatch.setattr(type(task), "predict", predict)
    return seen


def test_an_interrupted_run_goes_on_where_it_was(net, task, calibration, tmp_path, monkeypatch):
    whole = histograms(net, task, calibration)
    store = Store(tmp_path / "cache", "a task")
    monkeypatch.setattr(observe, "SAVE_EVERY_S", 0.0)

    def stop(samples):
        if samples == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        histograms(net, task, calibration, store=store, progress=stop)
    assert len(list(store.folder.iterdir())) == 1
    seen = counted(task, monkeypatch)
    found = histograms(net, task, calibration, store=store)
    assert len(seen) == 12 - 4  # the fifth was not saved
    assert all(np.array_equal(found[name].counts, whole[name].counts) for name in whole)


def test_a_repeated_run_calls_the_model_no_more(net, task, calibration, tmp_path, monkeypatch):
    store = Store(tmp_path, "a task")
    histograms(net, task, calibration, store=store)
    seen = counted(task, monkeypatch)
    histograms(net, task, calibration, store=store)
    assert not seen
    histograms(net, task, calibration, store=Store(tmp_path, "another task"))
    assert len(seen) == 12


def test_a_damaged_file_is_as_good_as_none(net, task, calibration, tmp_path):
    store = Store(tmp_path / "cache", "a task")
    whole = histograms(net, task, calibration, store=store)
    (path,) = store.folder.iterdir()
    content = path.read_bytes()
    for damaged in (content[: len(content) // 2], b"", b"nonsense"):
        path.write_bytes(damaged)
        found = histograms(net, task, calibration, store=store)
        assert all(np.array_equal(found[name].counts, whole[name].counts) for name in whole)


def test_a_store_that_cannot_be_written_is_named(net, task, calibration, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be written"):
        histograms(net, task, calibration, store=Store(tmp_path / "file", "a task"))
