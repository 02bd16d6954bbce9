"""Real models on disk, with feeds."""

import numpy as np
import onnx
import pytest
from workmodels import endless, matmuls


def save(model, path):
    onnx.save(model, path)
    return path


@pytest.fixture
def few(tmp_path):
    return save(matmuls(2), tmp_path / "few.onnx")


@pytest.fixture
def many(tmp_path):
    return save(matmuls(40), tmp_path / "many.onnx")


@pytest.fixture
def hanging(tmp_path):
    return save(endless(), tmp_path / "hanging.onnx")


@pytest.fixture
def feeds():
    random = np.random.default_rng(1)
    return [{"x": random.standard_normal((1, 16)).astype(np.float32)} for _ in range(3)]
