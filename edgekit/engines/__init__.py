"""Runtimes behind one protocol: onnxruntime for .onnx, LiteRT or tflite-runtime for .tflite.

Each runtime is imported by its own file here, and only when a model of its kind is opened.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from edgekit.errors import InputError, UsageError
from edgekit.manifest import Engine as EngineName
from edgekit.manifest import Tensor

Array = NDArray[Any]

__all__ = [
    "ENGINE_OF_SUFFIX",
    "Array",
    "Engine",
    "check_feeds",
    "engine_for",
    "first_line",
    "open_engine",
]

ENGINE_OF_SUFFIX: dict[str, EngineName] = {".onnx": "onnxruntime", ".tflite": "litert"}


class Engine(Protocol):
    """A loaded model. `run` may be called from several threads at once."""

    @property
    def runtime(self) -> str:
        """Name and version of the runtime, such as `onnxruntime 1.32.0`."""

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """What `run` must be fed."""

    @property
    def outputs(self) -> tuple[Tensor, ...]:
        """What `run` returns."""

    def run(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """One inference: arrays by input name to arrays by output name."""

    def close(self) -> None:
        """Free the runtime's memory; `run` may not be called afterwards."""


def engine_for(path: Path) -> EngineName:
    """The engine that runs a model file, by its suffix.

    Raises:
        UsageError: neither .onnx nor .tflite.
    """
    try:
        return ENGINE_OF_SUFFIX[path.suffix.lower()]
    except KeyError:
        known = " or ".join(ENGINE_OF_SUFFIX)
        problem = f"its suffix is {path.suffix!r}, not {known}"
        raise UsageError(f"model {str(path)!r}", problem, "convert it to one of these") from None


def open_engine(engine: EngineName, model: bytes | Path, *, threads: int = 1) -> Engine:
    """Load a model into its runtime, on the CPU.

    Args:
        engine: `"onnxruntime"` or `"litert"`.
        model: the model file's path or its content.
        threads: threads that one inference may use, at least 1.

    Raises:
        UsageError: fewer than one thread.
        ModelError: the runtime refuses the model.
        MissingExtraError: the runtime is not installed.
    """
    if threads < 1:
        raise UsageError(f"threads={threads}", "an inference needs at least one", "pass 1 or more")
    if engine == "onnxruntime":
        from edgekit.engines.onnxruntime import OnnxRuntime

        return OnnxRuntime(model, threads)
    from edgekit.engines.litert import LiteRT

    return LiteRT(model, threads)


def check_feeds(inputs: tuple[Tensor, ...], feeds: Mapping[str, Array]) -> None:
    """Refuse feeds that do not fit the model's inputs.

    Raises:
        InputError: a missing or unknown name, another dtype, rank or size.
    """
    names = [tensor.name for tensor in inputs]
    for name in feeds:
        if name not in names:
            raise InputError(f"input {name!r}", f"the model's inputs are {names}", "rename it")
    for tensor in inputs:
        if tensor.name not in feeds:
            problem = f"it is missing, the feeds are {sorted(feeds)}"
            raise InputError(f"input {tensor.name!r}", problem, "add it")
        array = feeds[tensor.name]
        if not fits(tensor, array):
            found = (
                f"{array.dtype} {list(array.shape)}"
                if isinstance(array, np.ndarray)
                else (type(array).__name__)
            )
            problem = f"it is {found}, the model takes {tensor.dtype} {list(tensor.shape)}"
            raise InputError(f"input {tensor.name!r}", problem, "convert it before the call")


def fits(tensor: Tensor, array: object) -> bool:
    """Whether an array has the tensor's dtype, rank and fixed sizes."""
    if not isinstance(array, np.ndarray) or array.ndim != len(tensor.shape):
        return False
    if tensor.dtype == "string":
        same_kind = array.dtype.kind in "OUS"
    else:
        same_kind = array.dtype == np.dtype(tensor.dtype)
    sizes = zip(tensor.shape, array.shape, strict=True)
    return same_kind and all(isinstance(want, str) or want == have for want, have in sizes)


def plain(array: Any) -> Array:
    """An array without Python objects: strings as NumPy holds them, anything else as it is.

    Runtimes return strings as objects; only plain arrays go into files and to other processes.
    """
    found: Array = np.asarray(array)
    return found.astype(np.str_) if found.dtype.kind in "OS" else found


def first_line(error: BaseException) -> str:
    """The first line of a runtime's error, at most 300 characters."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
