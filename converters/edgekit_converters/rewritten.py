"""A graph as onnxruntime rewrites it when it loads it."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import onnx
from onnx import ModelProto

if TYPE_CHECKING:
    import onnxruntime


def rewritten(
    content: bytes, options: "onnxruntime.SessionOptions", disabled: Sequence[str] | None = None
) -> ModelProto:
    """Through a file: onnxruntime hands an optimized graph out in no other way.

    Args:
        content: an .onnx file.
        options: with the level of optimization; where the file lies is set here.
        disabled: optimizers to leave out.

    Raises:
        Exception: onnxruntime's own, where it cannot load the model or write what it made of it.
    """
    import onnxruntime

    with tempfile.TemporaryDirectory(prefix="edgekit-") as folder:
        path = Path(folder) / "optimized.onnx"
        options.optimized_model_filepath = str(path)
        onnxruntime.InferenceSession(
            content, options, providers=["CPUExecutionProvider"], disabled_optimizers=disabled
        )
        return onnx.load(path)
