"""The workloads: a real model, its task file, labelled data; fetched when first asked for."""

import importlib
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

NAMES = ("efficientnet_lite0", "silero_vad", "kws_dscnn", "basic_pitch", "ppocr_rec")
"""Those that come as fp32 ONNX: what means are taken over."""
TFLITE = ("micro_wakeword",)
"""Those that come as int8 TFLite: for importing, parity and latency."""
FOLDER = Path(__file__).with_name("workloads")


@dataclass(frozen=True)
class Workload:
    """One model and what it is for.

    Attributes:
        name: the task file's name.
        model: the file, as it came.
        task: the task file.
    """

    name: str
    model: Path
    task: Path


def find_workload(name: str, folder: Path = FOLDER) -> Workload:
    """A workload of a folder of task files, each with a `model(data) -> Path`.

    Raises:
        CalledProcessError: its data cannot be fetched; what is there already is left alone.
    """
    subprocess.run([sys.executable, str(folder / "fetch.py"), name], check=True, stdout=sys.stderr)
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    data: Path = importlib.import_module("datafolder").data_folder()
    model: Path = importlib.import_module(name).model(data)
    return Workload(name, model, folder / f"{name}.py")
