"""The workloads: a real model, its task file, labelled data. `--workloads` says where they lie."""

import importlib
import sys
from dataclasses import dataclass
from pathlib import Path

NAMES = ("efficientnet_lite0", "silero_vad", "kws_dscnn", "basic_pitch", "ppocr_rec")
"""Those that come as fp32 ONNX."""


@dataclass(frozen=True)
class Workload:
    """One model and what it is for.

    Attributes:
        name: the task file's name.
        model: the fp32 ONNX file, as it came.
        task: the task file.
    """

    name: str
    model: Path
    task: Path


def find_workload(folder: Path, name: str) -> Workload:
    """A workload of a folder of task files, each with a `model(data) -> Path`.

    Raises:
        FileNotFoundError: its data was not fetched.
    """
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    data: Path = importlib.import_module("datafolder").data_folder()
    model: Path = importlib.import_module(name).model(data)
    return Workload(name, model, folder / f"{name}.py")
