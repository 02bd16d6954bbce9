"""A folder with the files that the documentation's examples name."""

import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgekit.bundle import write_bundle
from edgekit.engines import open_engine
from edgekit.manifest import Manifest
from edgekit.task import Task, load_task

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def desk(tmp_path_factory) -> Path:
    """`ocr-1.0.edgekit`, `line.png` and `damaged.edgekit`, made with the OCR example's model."""
    folder = tmp_path_factory.mktemp("desk")
    task = load_task(ROOT / "examples" / "ocr" / "task.py")
    picture = next(task.samples("evaluation"))[0]
    Image.fromarray(picture).save(folder / "line.png")
    model = sys.modules["fetch"].model().read_bytes()
    pack(folder / "ocr-1.0.edgekit", task, model, picture)
    (folder / "damaged.edgekit").write_bytes((folder / "ocr-1.0.edgekit").read_bytes()[:-9])
    return folder


def pack(path: Path, task: Task, model: bytes, picture: np.ndarray) -> None:
    engine = open_engine("onnxruntime", model)
    feeds = task.feeds(picture)
    manifest = Manifest(
        schema=1,
        name="ocr",
        version="1.0",
        target="host",
        engine="onnxruntime",
        recipe="fp32",
        model="model.onnx",
        inputs=engine.inputs,
        outputs=engine.outputs,
        features=task.features,
        decoder=task.decoder,
        labels="labels.json",
    )
    case = {
        "input": "golden/0.input.npy",
        "features": {"x": "golden/0.x.npy"},
        "outputs": {"fetch_name_0": "golden/0.y.npy"},
        "rtol": 1e-3,
        "atol": 1e-3,
    }
    files = {
        "model.onnx": model,
        "labels.json": json.dumps(task.labels).encode(),
        "golden/golden.json": json.dumps({"schema": 1, "cases": [case]}).encode(),
        "golden/0.input.npy": npy(picture),
        "golden/0.x.npy": npy(feeds["x"]),
        "golden/0.y.npy": npy(engine.run(feeds)["fetch_name_0"]),
    }
    engine.close()
    write_bundle(path, manifest, files)


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()
