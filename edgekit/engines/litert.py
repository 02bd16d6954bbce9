"""The only importer of ai-edge-litert, or of tflite-runtime where that is what is installed."""

import threading
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from edgekit.engines import Array, check_feeds, first_line
from edgekit.errors import MissingExtraError, ModelError
from edgekit.manifest import Dtype, Tensor

MAGIC = b"TFL3"
"""Bytes 4 to 8 of a TFLite file; the first four say where its root table is."""


def interpreter_class() -> tuple[Any, str]:
    """The `Interpreter` class of whichever runtime is installed, and the runtime's version.

    Raises:
        MissingExtraError: neither is.
    """
    try:
        import ai_edge_litert.interpreter as litert

        return litert.Interpreter, f"ai-edge-litert {metadata.version('ai-edge-litert')}"
    except ImportError:
        pass
    try:
        import tflite_runtime.interpreter as tflite

        return tflite.Interpreter, f"tflite-runtime {metadata.version('tflite-runtime')}"
    except ImportError as error:
        raise MissingExtraError(
            "a .tflite model",
            "neither ai-edge-litert nor tflite-runtime can be imported",
            "run: pip install 'edgekit[litert]'",
        ) from error


class LiteRT:
    """A TFLite model in a LiteRT interpreter; see `edgekit.engines.Engine`.

    An interpreter holds the tensors of one inference, so calls take turns.
    """

    def __init__(self, model: bytes | Path, threads: int = 1) -> None:
        interpreter, self.runtime = interpreter_class()
        self._thing = f"model {str(model)!r}" if isinstance(model, Path) else "the TFLite model"
        self._lock = threading.Lock()
        content = model.read_bytes() if isinstance(model, Path) else model
        self._check_start(content)
        try:
            self._interpreter: Any = interpreter(model_content=content, num_threads=threads)
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            problem = f"LiteRT cannot load it: {first_line(error)}"
            raise ModelError(self._thing, problem, "convert it again or update LiteRT") from error
        self._inputs = {row["name"]: row for row in self._interpreter.get_input_details()}
        self._outputs = {row["name"]: row for row in self._interpreter.get_output_details()}
        self._shapes = {name: tuple(row["shape"]) for name, row in self._inputs.items()}
        self.inputs = tuple(self._tensor(row) for row in self._inputs.values())
        self.outputs = tuple(self._tensor(row) for row in self._outputs.values())

    def run(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """One inference; variables of the model keep their state between calls.

        Raises:
            InputError: the feeds do not fit the model's inputs.
            ModelError: LiteRT fails while it runs, or the engine is closed.
        """
        check_feeds(self.inputs, feeds)
        with self._lock:
            if self._interpreter is None:
                raise ModelError(self._thing, "it is closed", "load it again")
            try:
                self._resize(feeds)
                for name, array in feeds.items():
                    self._interpreter.set_tensor(self._inputs[name]["index"], array)
                self._interpreter.invoke()
            except (ValueError, RuntimeError) as error:
                problem = f"LiteRT failed: {first_line(error)}"
                raise ModelError(self._thing, problem, "check the input's sizes") from error
            return {
                name: self._interpreter.get_tensor(row["index"])
                for name, row in self._outputs.items()
            }

    def close(self) -> None:
        """Free the interpreter."""
        with self._lock:
            self._interpreter = None

    def _check_start(self, content: bytes) -> None:
        """Refuse what is no TFLite file: tflite-runtime 2.14 reads it, and dies."""
        if content[4:8] != MAGIC or int.from_bytes(content[:4], "little") >= len(content):
            problem = f"LiteRT cannot load it: its {len(content)} bytes are no TFLite file"
            raise ModelError(self._thing, problem, "check that the file is whole")

    def _resize(self, feeds: Mapping[str, Array]) -> None:
        changed = {
            name: feeds[name].shape for name in feeds if feeds[name].shape != self._shapes[name]
        }
        for name, shape in changed.items():
            self._interpreter.resize_tensor_input(self._inputs[name]["index"], shape)
        if changed:
            self._interpreter.allocate_tensors()
            self._shapes.update(changed)

    def _tensor(self, row: dict[str, Any]) -> Tensor:
        name = "string" if row["dtype"] is np.bytes_ else np.dtype(row["dtype"]).name
        try:
            dtype = msgspec.convert(name, Dtype)
        except msgspec.ValidationError:
            problem = f"{row['name']!r} has dtype {name}, which bundles do not know"
            raise ModelError(self._thing, problem, "replace it at export") from None
        shape = tuple(
            int(size) if size >= 0 else f"axis{axis}"
            for axis, size in enumerate(row["shape_signature"])
        )
        return Tensor(row["name"], dtype, shape)
