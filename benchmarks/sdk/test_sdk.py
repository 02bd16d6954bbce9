"""What the SDK itself costs: import, load and run of a small bundle, beside the runtime alone.

Each benchmark checks its result first. They inform; `edgekit gate` judges.
"""

import subprocess
import sys

import numpy as np
import pytest
from builders import small_files, small_manifest, small_model

import edgekit
from edgekit.bundle import Bundle, write_bundle
from edgekit.engines import open_engine

X = np.linspace(-1, 1, 8, dtype=np.float32)[None]


@pytest.fixture
def bundle(tmp_path, monkeypatch):
    monkeypatch.setenv("EDGEKIT_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "small.edgekit"
    write_bundle(path, small_manifest(), small_files())
    return path


@pytest.mark.parametrize("module", ["edgekit", "numpy", "edgekit.model", "onnxruntime"])
def test_import(benchmark, module):
    """A fresh interpreter each time; its own start-up, about 10 ms, is in every figure."""
    command = [sys.executable, "-c", f"import sys, {module}; print(len(sys.modules))"]
    count = int(subprocess.run(command, capture_output=True, check=True).stdout)
    assert 10 < count < 2000
    benchmark.extra_info["modules"] = count
    benchmark.pedantic(lambda: subprocess.run(command, capture_output=True, check=True), rounds=7)


def test_open_and_check_every_digest(benchmark, bundle):
    def opened():
        with Bundle.open(bundle) as whole:
            return whole.sha256

    assert len(opened()) == 64
    benchmark(opened)


def test_load(benchmark, bundle):
    def loaded():
        with edgekit.load(bundle) as model:
            return model.name

    assert loaded() == "small 1.0"
    benchmark(loaded)


def test_run(benchmark, bundle):
    with edgekit.load(bundle) as model:
        outputs = model.run(X).outputs
        assert outputs["y"].sum() == pytest.approx(1)
        benchmark(model.run, X)


def test_the_runtime_alone(benchmark):
    engine = open_engine("onnxruntime", small_model().SerializeToString())
    assert engine.run({"x": X})["y"].sum() == pytest.approx(1)
    benchmark(engine.run, {"x": X})
