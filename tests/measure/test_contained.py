"""Models that answer from a process of their own."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from workmodels import endless, matmuls

from edgekit.engines import open_engine
from edgekit.errors import CrashError, EdgekitError
from edgekit.measure.contained import contained_model
from edgekit.measure.protocol import pack, unpack


def test_answers_are_those_of_the_model_here(tmp_path, feeds):
    path = tmp_path / "model.onnx"
    onnx.save(matmuls(4), path)
    engine = open_engine("onnxruntime", path)
    with contained_model(path) as model:
        assert model.inputs == engine.inputs
        for each in feeds:
            assert np.array_equal(model.run(each)["y"], engine.run(each)["y"])


def test_bundles_answer_too(small_bundle):
    with contained_model(small_bundle) as model:
        assert model.run({"x": np.zeros((1, 8), np.float32)})["y"].shape == (1, 3)


def test_large_arrays_cross_whole(tmp_path):
    path = tmp_path / "copy.onnx"
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["n"]) for n in "xy"]
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", ends[:1], ends[1:])
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=9), path)
    x = np.arange(3_000_000, dtype=np.float32)
    with contained_model(path) as model:
        assert np.array_equal(model.run({"x": x})["y"], x)


def test_a_model_that_hangs_is_a_crash_of_its_own_process(tmp_path):
    path = tmp_path / "hanging.onnx"
    onnx.save(endless(), path)
    said = r"hanging\.onnx.*no answer in 3 s while it ran"
    with contained_model(path, timeout_s=3.0) as model, pytest.raises(CrashError, match=said):
        model.run({"x": np.zeros((1, 1), np.float32)})


def test_what_the_model_refuses_is_refused_here(tmp_path):
    path = tmp_path / "model.onnx"
    onnx.save(matmuls(1), path)
    with contained_model(path) as model, pytest.raises(EdgekitError, match="x"):
        model.run({"wrong": np.zeros(1, np.float32)})


@pytest.mark.parametrize(
    "array",
    [np.zeros((0, 3), np.int8), np.array(3.5), np.array([True, False]), np.array(["ä", "b"]),
     np.arange(6, dtype=">i4").reshape(2, 3), np.arange(6.0).reshape(2, 3).T],
)  # fmt: skip
def test_every_kind_of_array_survives_the_way(array):
    back = unpack(pack({"a": array}))["a"]
    assert back.shape == array.shape
    assert back.tolist() == array.tolist()
