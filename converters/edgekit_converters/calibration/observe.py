"""Histograms of activations over the calibration split, within a memory cap.

Tensors leave the runtime whole and are tallied at once, so no activation outlives its call. What
does not fit the cap together is looked at in several passes, each over a batch of tensors.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from onnx import ModelProto, TensorProto, helper

from edgekit.engines import Array, open_engine
from edgekit.errors import ModelError
from edgekit.task import Task
from edgekit_converters.calibration.calibrate import Calibration, never_ran
from edgekit_converters.calibration.histogram import TALLY_BYTES, Histogram, Tally
from edgekit_converters.calibration.shelf import Place, Shelf, go_over, key_of
from edgekit_converters.graph import copy_of, float_tensors

Histograms = Mapping[str, Histogram]
WHOLE_TIMES = 2
"""Tensors that leave onnxruntime lie in an arena that grows by doubling."""
DEFAULT_MEMORY_BYTES = 1_000_000_000


@dataclass
class _Tallies:
    """What is collected of one batch of tensors."""

    by_tensor: dict[str, Tally]

    def arrays(self) -> dict[str, Array]:
        """See `Collected`."""
        found: dict[str, Array] = {
            "lows": np.array([tally.low for tally in self.by_tensor.values()]),
            "highs": np.array([tally.high for tally in self.by_tensor.values()]),
        }
        for number, tally in enumerate(self.by_tensor.values()):
            keys = np.flatnonzero(tally.counts)
            found |= {f"keys{number}": keys, f"counts{number}": tally.counts[keys]}
        return found

    def take(self, arrays: Mapping[str, Array]) -> None:
        """See `Collected`."""
        taken = {}
        for number, tensor in enumerate(self.by_tensor):
            low, high = float(arrays["lows"][number]), float(arrays["highs"][number])
            taken[tensor] = Tally(low=low, high=high)
            taken[tensor].counts[arrays[f"keys{number}"]] = arrays[f"counts{number}"]
        self.by_tensor = taken


def histograms(
    model: ModelProto,
    task: Task,
    calibration: Calibration,
    *,
    memory_bytes: int = DEFAULT_MEMORY_BYTES,
    shelf: Shelf | None = None,
    progress: Callable[[int], None] | None = None,
) -> Histograms:
    """The histogram of every float32 tensor that calibration computed.

    Args:
        model: clean fp32.
        task: whose `predict` feeds it, once for each batch of tensors.
        calibration: of the same model and task; it knows how large tensors are.
        memory_bytes: cap of this process's resident memory.
        shelf: where an interrupted pass is kept, and goes on from.
        progress: called with the number of samples done, over all passes.

    Raises:
        ModelError: the cap is too small for one tensor, or a tensor has NaN.
    """
    known = sorted(float_tensors(model) & calibration.elements.keys())
    found: dict[str, Histogram] = {}
    batches = plan_batches(known, calibration.elements, _free(memory_bytes, model))
    for number, batch in enumerate(batches):
        done = number * calibration.samples

        def tell(samples: int, done: int = done) -> None:
            if progress is not None:
                progress(done + samples)

        found |= _observe(model, task, batch, shelf or Shelf(), tell)
    return found


def plan_batches(
    tensors: Sequence[str], elements: Mapping[str, int], free_bytes: int
) -> list[list[str]]:
    """Tensors that fit into memory together, in the order given.

    Raises:
        ModelError: one tensor alone does not fit.
    """
    batches: list[list[str]] = []
    left = 0
    for tensor in tensors:
        needed = elements[tensor] * 4 * WHOLE_TIMES + TALLY_BYTES
        if needed > free_bytes:
            problem = (
                f"{needed / 1e6:.0f} MB are needed to look at it, "
                f"{max(free_bytes, 0) / 1e6:.0f} MB of the cap are free"
            )
            raise ModelError(f"tensor {tensor!r}", problem, "raise --memory")
        if not batches or needed > left:
            batches.append([])
            left = free_bytes
        batches[-1].append(tensor)
        left -= needed
    return batches


def _free(memory_bytes: int, model: ModelProto) -> int:
    """What of the cap is left for tensors: the session holds the weights about three times."""
    return memory_bytes - resident_bytes() - 3 * model.ByteSize()


def resident_bytes() -> int:
    """Resident memory of this process now; 0 where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def _observe(
    model: ModelProto,
    task: Task,
    tensors: Sequence[str],
    shelf: Shelf,
    progress: Callable[[int], None],
) -> dict[str, Histogram]:
    content = with_outputs(model, tensors).SerializeToString(deterministic=True)
    key = key_of(b"histograms", content, *(tensor.encode() for tensor in tensors))
    tallies = _Tallies({tensor: Tally() for tensor in tensors})
    engine = open_engine("onnxruntime", content)
    outputs = [output.name for output in model.graph.output]

    def run(feeds: Mapping[str, Array]) -> dict[str, Array]:
        values = engine.run(feeds)
        for tensor, tally in tallies.by_tensor.items():
            tally.add(tensor, feeds[tensor] if tensor in feeds else values[tensor])
        return {name: values[name] for name in outputs}

    try:
        samples = go_over(task, run, tallies, Place(shelf, key, "histograms"), progress)
    finally:
        engine.close()
    if not any(tally.counts.any() for tally in tallies.by_tensor.values()):
        raise never_ran(task, samples)
    return {tensor: tally.histogram() for tensor, tally in tallies.by_tensor.items()}


def with_outputs(model: ModelProto, tensors: Sequence[str]) -> ModelProto:
    """The model with further tensors as outputs; inputs among them are left out."""
    result = copy_of(model)
    known = {info.name for info in (*model.graph.input, *model.graph.output)}
    for tensor in tensors:
        if tensor not in known:
            info = helper.make_tensor_value_info(tensor, TensorProto.FLOAT, None)
            result.graph.output.append(info)
    return result
