"""A wheel, in a fresh environment with the base dependencies alone, runs a bundle."""

import json
import os
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.slow


def run(*command, **options):
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, env=environment, check=False,
        **options,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", folder, ROOT)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def bare_python(wheel, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bare")
    run(sys.executable, "-m", "venv", folder)
    python = folder / "bin" / "python"
    constraint = ROOT / "requirements.lock"
    run(python, "-m", "pip", "install", "--quiet", "--constraint", constraint, wheel)
    return python


def test_one_wheel_serves_python_3_11_and_later(wheel):
    assert "-cp311-abi3-" in wheel.name


def test_it_holds_both_packages_and_no_sources_of_the_extension(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        metadata = Parser().parsestr(
            archive.read(next(n for n in names if n.endswith("/METADATA"))).decode()
        )
    assert "edgekit/py.typed" in names
    assert "edgekit_converters/__init__.py" in names
    assert [n for n in names if n.endswith(".so")] == ["edgekit/_native/_kernels.abi3.so"]
    sources = [n for n in names if n.endswith((".c", ".h", "generate.py", "CMakeLists.txt"))]
    assert sources == ["edgekit/measure/devices/count.c"]  # compiled where emulated Arm is set up
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["License-Expression"] == "Apache-2.0 AND GPL-2.0-or-later"  # count.c
    base = {r.split(">=")[0] for r in metadata.get_all("Requires-Dist") if ";" not in r}
    assert base == {"numpy", "cffi", "onnxruntime", "msgspec"}


def test_it_runs_a_bundle_with_the_base_dependencies_alone(bare_python, small_bundle, tmp_path):
    np.save(tmp_path / "x.npy", np.ones((1, 8), np.float32))
    edgekit = bare_python.parent / "edgekit"
    out = run(edgekit, "run", small_bundle, tmp_path / "x.npy", "--json", cwd=tmp_path)
    assert len(json.loads(out)["labels"]) == 2


def test_the_toolchain_says_which_extra_to_install(bare_python, small_onnx, tmp_path):
    done = subprocess.run(
        [bare_python.parent / "edgekit", "optimize", small_onnx, "--task", "t.py"],
        capture_output=True, text=True, cwd=tmp_path, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "pip install 'edgekit[convert]'" in done.stderr
    assert "Traceback" not in done.stderr
