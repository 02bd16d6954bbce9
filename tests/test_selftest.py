"""The golden self-test passes where it should, and refuses what computes something else."""

import io
import json

import numpy as np
import pytest
from builders import small_files, small_manifest, small_model

import edgekit
from edgekit.bundle import write_bundle
from edgekit.engines import open_engine
from edgekit.errors import BundleError
from edgekit.selftest import GOLDEN

X = np.linspace(-1, 1, 8, dtype=np.float32)[None]


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def golden_files(output=None, feed=X, model_seed=0, **case):
    model = small_model(0).SerializeToString()
    right = open_engine("onnxruntime", model).run({"x": X})["y"]
    described = {
        "input": "golden/0.input.npy",
        "features": {"x": "golden/0.x.npy"},
        "outputs": {"y": "golden/0.y.npy"},
        "rtol": 1e-4,
        "atol": 1e-6,
    }
    return small_files(
        **{
            "model.onnx": small_model(model_seed).SerializeToString(),
            GOLDEN: json.dumps({"schema": 1, "cases": [described | case]}).encode(),
            "golden/0.input.npy": npy(X),
            "golden/0.x.npy": npy(feed),
            "golden/0.y.npy": npy(right if output is None else output),
        }
    )


@pytest.fixture
def packed(tmp_path):
    def pack(**changes):
        path = tmp_path / "golden.edgekit"
        write_bundle(path, small_manifest(), golden_files(**changes))
        return path

    return pack


def test_a_right_bundle_passes(packed):
    with edgekit.load(packed(), verify="self-test") as model:
        assert model.run(X).value[0].name in "abc"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"model_seed": 1}, "3 of 3 values of output 'y' differ by up to 0"),
        ({"feed": np.nextafter(X, 2, dtype=np.float32)}, "8 of 8 features for 'x' differ"),
        ({"feed": X.astype(np.float64)}, r"float32 \[1, 8\], golden are float64"),
        ({"output": np.zeros((1, 4), np.float32)}, r"is float32 \[1, 3\], golden is"),
        ({"output": np.full((1, 3), np.nan, np.float32)}, "differ by up to inf"),
        ({"outputs": {"z": "golden/0.y.npy"}}, "output 'z' is missing"),
        ({"outputs": {"y": "golden/9.npy"}}, "no file 'golden/9.npy'"),
        ({"surprise": 1}, "unknown field `surprise`"),
    ],
)
def test_what_computes_something_else_is_refused(packed, changes, reason):
    with pytest.raises(BundleError, match=reason):
        edgekit.load(packed(**changes))


def test_a_pickled_array_is_refused(packed, tmp_path):
    files = golden_files() | {"golden/0.input.npy": npy(np.array([{}], object))}
    path = tmp_path / "pickled.edgekit"
    write_bundle(path, small_manifest(), files)
    with pytest.raises(BundleError, match=r"no plain \.npy array"):
        edgekit.load(path)


def test_the_test_runs_at_the_first_load_only(packed, monkeypatch):
    path = packed()
    runs = []
    monkeypatch.setattr(
        edgekit.model.selftest, "run_self_test", lambda *arguments: runs.append(arguments)
    )
    for verify in (None, None, "digest", "self-test"):
        edgekit.load(path, verify=verify).close()
    assert len(runs) == 2


def test_a_failed_test_is_not_remembered(packed):
    path = packed(model_seed=1)
    for _ in range(2):
        with pytest.raises(BundleError, match="differ by"):
            edgekit.load(path)


def test_a_cache_that_cannot_be_written_only_costs_time(packed, monkeypatch):
    monkeypatch.setenv("EDGEKIT_CACHE", "/proc/no-such-folder")
    edgekit.load(packed()).close()
