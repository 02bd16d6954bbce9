import tracemalloc

import numpy as np
import onnx
import pytest
from edgekit_converters.calibration.calibrate import (
    KEPT_FEEDS,
    FeedSampler,
    Range,
    calibrate,
    first_feeds,
    unusable,
)
from networks import (
    STATEFUL,
    conv_net,
    embedding_net,
    model_of,
    stateful_net,
    stored,
    task_of,
    value,
)
from onnx import helper

from edgekit.engines import open_engine
from edgekit.errors import InputError, ModelError, TaskError


def test_ranges_are_those_of_every_tensor_on_every_sample(task):
    """Compared with a run that returns all tensors whole."""
    model = conv_net()
    found = calibrate(model, task)
    whole = onnx.shape_inference.infer_shapes(model)
    del whole.graph.output[:]
    names = ["c1", "r1", "c2", "r2", "g", "f", "y"]
    whole.graph.output.extend(value(name, None) for name in names)
    engine = open_engine("onnxruntime", whole.SerializeToString())
    runs = [engine.run({"x": raw[None]}) for raw, _, _ in task.samples("calibration")]
    for name in names:
        every = np.concatenate([run[name].ravel() for run in runs])
        assert found.ranges[name].low == pytest.approx(every.min(), abs=1e-6)
        assert found.ranges[name].high == pytest.approx(every.max(), abs=1e-6)
    assert set(found.ranges) == {*names, "x"}
    assert (found.samples, found.calls) == (12, 12)


def test_a_stateful_model_is_calibrated_on_the_states_it_really_sees(tmp_path):
    found = calibrate(stateful_net(), task_of(tmp_path, STATEFUL))
    assert found.calls == 30
    assert found.ranges["state"] == Range(0.0, 20.0)
    assert found.ranges["new_state"] == Range(0.0, 25.0)


TOKENS = """
def samples(split):
    for number in range(4):
        yield np.full((1, 5), number), 0, "g"

def predict(run, input):
    return run({"tokens": input})["y"]
"""


def test_integer_inputs_have_no_range(tmp_path):
    found = calibrate(embedding_net(), task_of(tmp_path, TOKENS))
    assert "tokens" not in found.ranges
    assert {"embedded", "logits", "y"} <= found.ranges.keys()


def test_a_predict_that_never_runs_the_model_is_refused(tmp_path):
    body = "def samples(split):\n    yield 1, 1, 'g'\ndef predict(run, input):\n    return 1\n"
    with pytest.raises(TaskError, match="never ran the model on 1 samples of 'calibration'"):
        calibrate(conv_net(), task_of(tmp_path, body))


def test_an_input_that_calibration_does_not_fill_is_named(tmp_path):
    body = STATEFUL.replace('"x": input, "state": state', '"x": input')
    with pytest.raises(InputError, match="input 'state'"):
        calibrate(stateful_net(), task_of(tmp_path, body))


def test_nan_inside_the_model_names_the_tensor(tmp_path):
    nodes = [
        helper.make_node("Sqrt", ["x"], ["root"]),
        helper.make_node("Relu", ["root"], ["y"]),
    ]
    model = model_of(nodes, [value("x", [1])], [value("y", [1])])
    body = (
        "def samples(split):\n    yield np.array([-1.0], np.float32), 0, 'g'\n"
        "def predict(run, input):\n    return run({'x': input})['y']\n"
    )
    with pytest.raises(ModelError, match="tensor 'root'"):
        calibrate(model, task_of(tmp_path, body))


def test_masks_of_minus_infinity_are_no_range():
    nodes = [helper.make_node("Add", ["x", "mask"], ["masked"])]
    nodes.append(helper.make_node("Softmax", ["masked"], ["y"], axis=-1))
    mask = stored("mask", np.array([0, -np.inf], np.float32))
    model = model_of(nodes, [value("x", [1, 2])], [value("y", [1, 2])], [mask])
    ranges = {"x": Range(0, 1), "masked": Range(-np.inf, 1), "y": Range(0, 1)}
    assert unusable(model, ranges) == {"masked": "'masked' reaches from -inf to 1"}
    del ranges["x"]
    assert "never computed" in unusable(model, ranges)["x"]


def test_a_few_feeds_are_kept_of_many_and_the_same_for_a_seed():
    def kept(seed):
        sampler = FeedSampler(seed)
        for number in range(500):
            sampler.add({"x": np.array([number])})
        return [int(feeds["x"][0]) for feeds in sampler.kept]

    assert len(set(kept(0))) == KEPT_FEEDS
    assert kept(0) == kept(0) != kept(1)
    assert max(kept(0)) > 250 > min(kept(0))


def test_feeds_that_are_changed_later_stay_as_they_were():
    sampler = FeedSampler(0)
    array = np.zeros(3)
    sampler.add({"x": array})
    array[:] = 1
    assert not sampler.kept[0]["x"].any()


def test_first_feeds_stop_as_soon_as_there_are_enough(task):
    engine = open_engine("onnxruntime", conv_net().SerializeToString())
    seen = []
    original = engine.run
    engine.run = lambda feeds: seen.append(1) or original(feeds)
    assert len(first_feeds(engine, task, 3)) == 3
    assert len(seen) == 3


LARGE = """
def samples(split):
    for number in range(24):
        yield np.zeros((1, 3, 256, 256), np.float32) + number, 0, "g"

def predict(run, input):
    return int(run({"x": input})["y"].argmax())
"""


def test_no_activation_outlives_its_sample(tmp_path):
    """24 samples make 24 × 16.8 MB of activations; inputs are 0.8 MB each, 16 of them kept."""
    model = conv_net(size=256)
    task = task_of(tmp_path, LARGE)
    tracemalloc.start()
    calibrate(model, task)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 16.8e6 + 8e6
