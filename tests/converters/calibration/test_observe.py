import numpy as np
import onnx
import pytest
from edgekit_converters.calibration import observe, shelf
from edgekit_converters.calibration.calibrate import FeedSampler, calibrate
from edgekit_converters.calibration.observe import histograms, plan_batches, resident_bytes
from edgekit_converters.calibration.shelf import Shelf
from networks import STATEFUL, conv_net, stateful_net, task_of, value

from edgekit.engines import open_engine
from edgekit.errors import ModelError


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


class Kept(dict):
    """A store in memory."""

    def put(self, key, content):
        self[key] = content


def counted(task, monkeypatch):
    seen = []
    original = type(task).predict

    def predict(self, run, raw):
        seen.append(1)
        return original(self, run, raw)

    monkeypatch.setattr(type(task), "predict", predict)
    return seen


def stop_at_the_fifth(samples):
    if samples == 5:
        raise KeyboardInterrupt


def test_an_interrupted_run_goes_on_where_it_was(net, task, calibration, monkeypatch):
    whole = histograms(net, task, calibration)
    told = []
    kept = Shelf(Kept(), told.append)
    monkeypatch.setattr(shelf, "SAVE_EVERY_S", 0.0)
    monkeypatch.setattr(shelf, "SAVING_SHARE", float("inf"))
    with pytest.raises(KeyboardInterrupt):
        histograms(net, task, calibration, shelf=kept, progress=stop_at_the_fifth)
    assert (len(kept.store), told) == (1, [])
    seen = counted(task, monkeypatch)
    found = histograms(net, task, calibration, shelf=kept)
    assert len(seen) == 12 - 4  # the fifth was not saved
    assert told == ["histograms: resumed, 4 samples were seen before"]
    assert all(np.array_equal(found[name].counts, whole[name].counts) for name in whole)


def test_an_interrupted_calibration_goes_on_where_it_was(net, task, calibration, monkeypatch):
    kept = Shelf(Kept())
    monkeypatch.setattr(shelf, "SAVE_EVERY_S", 0.0)
    monkeypatch.setattr(shelf, "SAVING_SHARE", float("inf"))
    with pytest.raises(KeyboardInterrupt):
        calibrate(net, task, shelf=kept, progress=stop_at_the_fifth)
    seen = counted(task, monkeypatch)
    found = calibrate(net, task, shelf=kept)
    assert len(seen) == 12 - 4
    assert found.ranges == calibration.ranges
    assert (found.elements, found.samples, found.calls) == (calibration.elements, 12, 12)
    assert [feeds["x"].tobytes() for feeds in found.feeds] == [
        feeds["x"].tobytes() for feeds in calibration.feeds
    ]


def test_feeds_are_drawn_alike_after_an_interruption():
    feeds = [{"x": np.array(number)} for number in range(60)]
    whole, first, second = (FeedSampler(seed=3, most=5) for _ in range(3))
    for each in feeds:
        whole.add(each)
    for each in feeds[:33]:
        first.add(each)
    second.go_on(33, first.kept)
    for each in feeds[33:]:
        second.add(each)
    assert [int(each["x"]) for each in second.kept] == [int(each["x"]) for each in whole.kept]


def test_a_repeated_run_calls_the_model_no_more(net, task, calibration, monkeypatch):
    kept = Shelf(Kept())
    histograms(net, task, calibration, shelf=kept)
    seen = counted(task, monkeypatch)
    histograms(net, task, calibration, shelf=kept)
    assert not seen
    histograms(net, task, calibration, shelf=Shelf(Kept()))
    assert len(seen) == 12


def test_a_damaged_state_is_as_good_as_none(net, task, calibration):
    kept = Shelf(Kept())
    whole = histograms(net, task, calibration, shelf=kept)
    ((key, content),) = kept.store.items()
    for damaged in (content[: len(content) // 2], b"", b"nonsense"):
        kept.store[key] = damaged
        found = histograms(net, task, calibration, shelf=kept)
        assert all(np.array_equal(found[name].counts, whole[name].counts) for name in whole)
