"""The only importer of onnxruntime in the device package."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edgekit.engines import Array, check_feeds, first_line
from edgekit.engines.onnxfile import LAYOUT, OPTIMIZED, metadata, this_layout
from edgekit.errors import ModelError
from edgekit.manifest import Dtype, Tensor

DTYPES: dict[str, Dtype] = {
    "tensor(bool)": "bool",
    "tensor(int8)": "int8",
    "tensor(int16)": "int16",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
    "tensor(uint8)": "uint8",
    "tensor(uint16)": "uint16",
    "tensor(uint32)": "uint32",
    "tensor(uint64)": "uint64",
    "tensor(float16)": "float16",
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(string)": "string",
}

TELEMETRY_OFF = "ORT_DISABLE_TELEMETRY"
"""onnxruntime 1.32 otherwise writes a device id and events below ~/.cache at the first session."""
ERRORS_ONLY = 3  # onnxruntime's log severity; warnings would go to the app's stderr


class OnnxRuntime:
    """An ONNX model in an onnxruntime CPU session; see `edgekit.engines.Engine`."""

    def __init__(self, model: bytes | Path, threads: int = 1) -> None:
        os.environ.setdefault(TELEMETRY_OFF, "1")
        import onnxruntime

        self._thing = f"model {str(model)!r}" if isinstance(model, Path) else "the ONNX model"
        self.runtime = f"onnxruntime {onnxruntime.__version__}"
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = ERRORS_ONLY
        if self._is_optimized(model):
            options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        source = str(model) if isinstance(model, Path) else model
        try:
            self._session: Any = onnxruntime.InferenceSession(
                source, options, providers=["CPUExecutionProvider"], enable_fallback=0
            )  # fallback would print, and try the same provider again
        except Exception as error:  # onnxruntime's own errors share no base class but this
            problem = f"{self.runtime} cannot load it: {first_line(error)}"
            raise ModelError(
                self._thing, problem, "export it again or update onnxruntime"
            ) from error
        try:
            self.inputs = tuple(self._tensor(node) for node in self._session.get_inputs())
            self.outputs = tuple(self._tensor(node) for node in self._session.get_outputs())
        except UnicodeDecodeError as error:
            problem = f"a name in it is not UTF-8 ({error.reason})"
            raise ModelError(self._thing, problem, "check that the file is whole") from error
        self._output_names = [tensor.name for tensor in self.outputs]

    def run(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """One inference.

        Raises:
            InputError: the feeds do not fit the model's inputs.
            ModelError: onnxruntime fails while it runs, or the engine is closed.
        """
        session = self._session
        if session is None:
            raise ModelError(self._thing, "it is closed", "load it again")
        check_feeds(self.inputs, feeds)
        try:
            values = session.run(self._output_names, feeds)
        except Exception as error:  # as above
            shapes = {name: list(array.shape) for name, array in feeds.items()}
            problem = f"onnxruntime failed on inputs of shape {shapes}: {first_line(error)}"
            raise ModelError(self._thing, problem, "check the input's sizes and values") from error
        return dict(zip(self._output_names, values, strict=True))

    def close(self) -> None:
        """Free the session."""
        self._session = None

    def _is_optimized(self, model: bytes | Path) -> bool:
        """Whether the runtime's rewriting was done when the model was made.

        Raises:
            ModelError: it was done for another kind of machine.
        """
        try:
            told = metadata(model)
        except OSError:
            return False  # the runtime says what is wrong with the file
        layout = told.get(LAYOUT)
        if layout is not None and layout != this_layout():
            problem = f"its weights are laid out for {layout}, this machine is {this_layout()}"
            raise ModelError(self._thing, problem, "optimize it again for this machine")
        return OPTIMIZED in told

    def _tensor(self, node: Any) -> Tensor:
        if node.type not in DTYPES:
            problem = f"{node.name!r} is a {node.type}, only dense tensors are supported"
            raise ModelError(self._thing, problem, "replace it at export")
        shape = tuple(
            size if isinstance(size, int) and size >= 0 else str(size or f"axis{axis}")
            for axis, size in enumerate(node.shape)
        )
        return Tensor(node.name, DTYPES[node.type], shape)
