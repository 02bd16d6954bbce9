"""Models and tasks of the converter's tests."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from networks import conv_net, task_text

from edgekit.task import Task, load_task


@pytest.fixture
def conv_path(tmp_path) -> Path:
    path = tmp_path / "conv.onnx"
    onnx.save(conv_net(), path)
    return path


@pytest.fixture
def task_path(tmp_path) -> Path:
    path = tmp_path / "task.py"
    path.write_text(task_text())
    return path


@pytest.fixture
def task(task_path) -> Task:
    return load_task(task_path)


@pytest.fixture
def images() -> list[dict[str, np.ndarray]]:
    rng = np.random.default_rng(9)
    return [{"x": rng.standard_normal((1, 3, 16, 16)).astype(np.float32)} for _ in range(3)]
