"""ai-edge-litert and tflite-runtime behind one engine. The old one wants an environment of its own.

python3.11 -m venv .tflite && .tflite/bin/pip install tflite-runtime==2.14.0 'numpy<2' msgspec
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from networks import tflite_double

ROOT = Path(__file__).parents[2]
OLD = Path(os.environ.get("EDGEKIT_TFLITE_PYTHON", ROOT / ".tflite" / "bin" / "python"))
CODE = """
import json, sys
from pathlib import Path
import numpy as np
from edgekit.engines import open_engine
from edgekit.errors import EdgekitError
engine = open_engine("litert", Path(sys.argv[1]))
x = np.linspace(-1, 1, 4, dtype=np.float32)[None]
found = {
    "runtime": engine.runtime,
    "inputs": [[each.name, each.dtype, list(each.shape)] for each in engine.inputs],
    "outputs": [[each.name, each.dtype, list(each.shape)] for each in engine.outputs],
    "y": engine.run({"x": x})["y"].tolist(),
}
engine.close()
try:
    open_engine("litert", b"0123TFL3nonsense")  # on which tflite-runtime dies
    found["refused"] = ""
except EdgekitError as error:
    found["refused"] = str(error)
print(json.dumps(found))
"""


def answer(python, path):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        [str(python), "-c", CODE, str(path)],
        capture_output=True, text=True, check=True, env=environment,
    )  # fmt: skip
    return json.loads(ran.stdout.splitlines()[-1])


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "double.tflite"
    path.write_bytes(tflite_double())
    return path


@pytest.mark.parametrize(
    ("python", "runtime"), [(Path(sys.executable), "ai-edge-litert "), (OLD, "tflite-runtime ")]
)
def test_both_runtimes_give_the_same(model, python, runtime):
    if not python.exists():
        pytest.skip(f"tflite-runtime has no environment at {python}: see the top of this file")
    found = answer(python, model)
    assert found["runtime"].startswith(runtime)
    assert found["inputs"] == [["x", "float32", [1, 4]]]
    assert found["outputs"] == [["y", "float32", [1, 4]]]
    assert found["y"] == (2 * np.linspace(-1, 1, 4, dtype=np.float32)[None]).tolist()
    assert "cannot load it" in found["refused"]
