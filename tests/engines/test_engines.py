"""Both runtimes behind one protocol, with real models."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnx
import pytest
from builders import small_model
from onnx import TensorProto, helper

from edgekit.engines import engine_for, fits, open_engine
from edgekit.errors import InputError, ModelError, UsageError
from edgekit.manifest import Tensor


@pytest.fixture
def engine(small_onnx):
    engine = open_engine("onnxruntime", small_onnx)
    yield engine
    engine.close()


def test_a_model_says_what_it_takes_and_gives(engine):
    assert engine.inputs == (Tensor("x", "float32", (1, 8)),)
    assert engine.outputs == (Tensor("y", "float32", (1, 3)),)
    assert engine.runtime.startswith("onnxruntime ")


def test_a_model_computes_what_numpy_computes(engine):
    model = small_model()
    weight, bias = (onnx.numpy_helper.to_array(t) for t in model.graph.initializer)
    x = np.linspace(-1, 1, 8, dtype=np.float32)[None]
    logits = x @ weight + bias
    expected = np.exp(logits) / np.exp(logits).sum()
    np.testing.assert_allclose(engine.run({"x": x})["y"], expected, rtol=1e-5)


def test_bytes_and_a_path_are_the_same_model(engine, small_onnx):
    x = np.ones((1, 8), np.float32)
    other = open_engine("onnxruntime", small_onnx.read_bytes())
    np.testing.assert_array_equal(engine.run({"x": x})["y"], other.run({"x": x})["y"])


def test_threads_may_run_it_at_once(engine):
    rows = np.random.default_rng(0).standard_normal((64, 1, 8)).astype(np.float32)
    alone = [engine.run({"x": row})["y"] for row in rows]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda row: engine.run({"x": row})["y"], rows))
    np.testing.assert_array_equal(alone, together)


@pytest.mark.parametrize(
    ("feeds", "reason"),
    [
        ({}, "'x': it is missing"),
        ({"z": np.ones((1, 8), np.float32)}, r"'z': the model's inputs are \['x'\]"),
        ({"x": np.ones((1, 8))}, r"float64 \[1, 8\], the model takes float32 \[1, 8\]"),
        ({"x": np.ones((2, 8), np.float32)}, r"float32 \[2, 8\]"),
        ({"x": np.ones(8, np.float32)}, r"float32 \[8\]"),
        ({"x": [1.0]}, "it is list"),
    ],
)
def test_feeds_that_do_not_fit_are_refused(engine, feeds, reason):
    with pytest.raises(InputError, match=reason):
        engine.run(feeds)


def test_what_is_no_model_is_refused():
    with pytest.raises(ModelError, match=r"onnxruntime [\d.]+ cannot load it"):
        open_engine("onnxruntime", b"nonsense")


def test_a_model_that_fails_while_it_runs_names_the_shapes():
    nodes = [helper.make_node("Reshape", ["x", "shape"], ["y"])]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [2, 2])],
        [helper.make_tensor("shape", TensorProto.INT64, [2], [2, 2])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    engine = open_engine("onnxruntime", model.SerializeToString())
    assert engine.run({"x": np.ones(4, np.float32)})["y"].shape == (2, 2)
    with pytest.raises(ModelError, match=r"inputs of shape \{'x': \[5\]\}"):
        engine.run({"x": np.ones(5, np.float32)})


def test_a_closed_engine_says_so(small_onnx):
    engine = open_engine("onnxruntime", small_onnx)
    engine.close()
    with pytest.raises(ModelError, match="closed"):
        engine.run({"x": np.ones((1, 8), np.float32)})


def test_an_inference_needs_a_thread(small_onnx):
    with pytest.raises(UsageError, match="threads=0"):
        open_engine("onnxruntime", small_onnx, threads=0)


def test_the_suffix_says_which_engine(tmp_path):
    assert engine_for(tmp_path / "a.ONNX") == "onnxruntime"
    assert engine_for(tmp_path / "a.tflite") == "litert"
    with pytest.raises(UsageError, match=r"'\.pt'"):
        engine_for(tmp_path / "a.pt")


def test_a_named_size_fits_any_number():
    tensor = Tensor("x", "float32", (1, "n"))
    assert fits(tensor, np.ones((1, 7), np.float32))
    assert not fits(tensor, np.ones((2, 7), np.float32))
    assert fits(Tensor("s", "string", ("n",)), np.array(["a"], object))


def test_the_runtime_leaves_no_identity_behind(small_onnx, tmp_path):
    """onnxruntime writes a device id and an event store unless it is told not to."""
    code = "import sys; from pathlib import Path; from edgekit.engines import open_engine; "
    code += "open_engine('onnxruntime', Path(sys.argv[1])).close()"
    unset = {"ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME"}
    environment = {key: value for key, value in os.environ.items() if key not in unset}
    subprocess.run(
        [sys.executable, "-c", code, str(small_onnx)],
        env=environment | {"HOME": str(tmp_path)},
        check=True,
    )
    assert list(tmp_path.rglob("*")) == []
