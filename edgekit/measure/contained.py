"""A model that runs in a process of its own, for its answers: its crash is not ours."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from edgekit.engines import Array
from edgekit.manifest import Tensor
from edgekit.measure.process import Worker
from edgekit.measure.protocol import Infer, Open, pack, unpack


class ContainedModel:
    """A model in a worker.

    Attributes:
        inputs: what it must be fed.
    """

    def __init__(self, worker: Worker, inputs: tuple[Tensor, ...], thing: str) -> None:
        self.inputs = inputs
        self._worker = worker
        self._thing = thing

    def run(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """One inference: arrays by name to arrays by name.

        Raises:
            CrashError: the process ended or hung over it.
            EdgekitError: the model refuses its inputs.
        """
        return unpack(self._worker.infer(Infer(pack(feeds)), self._thing).outputs)


@contextmanager
def contained_model(
    path: Path, *, threads: int = 1, timeout_s: float = 300.0
) -> Iterator[ContainedModel]:
    """Load the model of a file or bundle in a fresh process.

    Args:
        path: a .onnx, .tflite or .edgekit file.
        threads: that one inference may use.
        timeout_s: longest wait for the load, or for one inference.

    Raises:
        CrashError: the process ended or hung over it.
        EdgekitError: the model cannot be loaded.
    """
    with Worker(timeout_s) as worker:
        inputs = worker.open(Open(str(path), threads)).inputs
        yield ContainedModel(worker, inputs, f"model {str(path)!r}")
