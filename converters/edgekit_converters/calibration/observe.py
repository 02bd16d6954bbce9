"""Histograms of activations over the calibration split, within a memory cap, resumable.

Tensors leave the runtime whole and are tallied at once, so no activation outlives its call. What
does not fit the cap together is looked at in several passes, each over a batch of tensors. The
tallies of a pass are saved every few seconds; a run that was interrupted goes on from there.
"""

import contextlib
import hashlib
import os
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, helper

from edgekit.engines import Array, open_engine
from edgekit.errors import ModelError, StorageError
from edgekit.task import Task
from edgekit_converters.calibration.calibrate import SPLIT, Calibration, never_ran
from edgekit_converters.calibration.histogram import TALLY_BYTES, Histogram, Tally
from edgekit_converters.graph import copy_of, float_tensors

Histograms = Mapping[str, Histogram]
SAVE_EVERY_S = 10.0
WHOLE_TIMES = 2
"""Tensors that leave onnxruntime lie in an arena that grows by doubling."""
DEFAULT_MEMORY_BYTES = 1_000_000_000


@dataclass(frozen=True)
class Store:
    """Where tallies are kept between runs.

    Attributes:
        folder: is made where it is missing.
        identity: of the calibration data, such as a digest of the task's files; the model and the
            tensors are added to it.
    """

    folder: Path
    identity: str


@dataclass
class _Pass:
    """One batch of tensors and how far it has come."""

    tallies: dict[str, Tally]
    samples_done: int = 0


def histograms(
    model: ModelProto,
    task: Task,
    calibration: Calibration,
    *,
    memory_bytes: int = DEFAULT_MEMORY_BYTES,
    store: Store | None = None,
    progress: Callable[[int], None] | None = None,
) -> Histograms:
    """The histogram of every float32 tensor that calibration computed.

    Args:
        model: clean fp32.
        task: whose `predict` feeds it, once for each batch of tensors.
        calibration: of the same model and task; it knows how large tensors are.
        memory_bytes: cap of this process's resident memory.
        store: where an interrupted run is resumed from.
        progress: called with the number of samples done, over all passes.

    Raises:
        ModelError: the cap is too small for one tensor, or a tensor has NaN.
        StorageError: the store cannot be written.
    """
    known = sorted(float_tensors(model) & calibration.elements.keys())
    found: dict[str, Histogram] = {}
    batches = plan_batches(known, calibration.elements, _free(memory_bytes, model))
    for number, batch in enumerate(batches):
        done = number * calibration.samples

        def tell(samples: int, done: int = done) -> None:
            if progress is not None:
                progress(done + samples)

        found |= _observe(model, task, batch, store, tell)
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
    store: Store | None,
    progress: Callable[[int], None],
) -> dict[str, Histogram]:
    content = with_outputs(model, tensors).SerializeToString(deterministic=True)
    path = _path(store, content, tensors)
    state = _load(path, tensors)
    engine = open_engine("onnxruntime", content)
    outputs = [output.name for output in model.graph.output]

    def run(feeds: Mapping[str, Array]) -> dict[str, Array]:
        values = engine.run(feeds)
        for tensor, tally in state.tallies.items():
            tally.add(tensor, feeds[tensor] if tensor in feeds else values[tensor])
        return {name: values[name] for name in outputs}

    saved = time.monotonic()
    samples = 0
    try:
        for samples, (raw, _label, _group) in enumerate(task.samples(SPLIT), 1):
            if samples > state.samples_done:
                task.predict(run, raw)
                state.samples_done = samples
                progress(samples)
            if time.monotonic() - saved > SAVE_EVERY_S:
                _save(path, state)
                saved = time.monotonic()
    finally:
        engine.close()
    if not any(tally.counts.any() for tally in state.tallies.values()):
        raise never_ran(task, samples)
    _save(path, state)
    return {tensor: tally.histogram() for tensor, tally in state.tallies.items()}


def with_outputs(model: ModelProto, tensors: Sequence[str]) -> ModelProto:
    """The model with further tensors as outputs; inputs among them are left out."""
    result = copy_of(model)
    known = {info.name for info in (*model.graph.input, *model.graph.output)}
    for tensor in tensors:
        if tensor not in known:
            info = helper.make_tensor_value_info(tensor, TensorProto.FLOAT, None)
            result.graph.output.append(info)
    return result


def _path(store: Store | None, content: bytes, tensors: Sequence[str]) -> Path | None:
    if store is None:
        return None
    digest = hashlib.sha256(content)
    for part in (store.identity, *tensors):
        digest.update(b"\0" + part.encode())
    return store.folder / f"tally-{digest.hexdigest()}.npz"


def _load(path: Path | None, tensors: Sequence[str]) -> _Pass:
    """What was saved; a file that is cut off or not ours is as good as none."""
    fresh = _Pass({tensor: Tally() for tensor in tensors})
    if path is None or not path.exists():
        return fresh
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as saved:
            state = _Pass({}, int(saved["samples_done"]))
            for number, tensor in enumerate(tensors):
                tally = Tally(low=float(saved["lows"][number]), high=float(saved["highs"][number]))
                tally.counts[saved[f"keys{number}"]] = saved[f"counts{number}"]
                state.tallies[tensor] = tally
    except (OSError, ValueError, KeyError, IndexError, zipfile.BadZipFile, EOFError):
        return fresh
    return state


def _save(path: Path | None, state: _Pass) -> None:
    """Whole or not at all: a file beside it takes its place."""
    if path is None:
        return
    arrays: dict[str, Any] = {
        "samples_done": np.array(state.samples_done),
        "lows": np.array([tally.low for tally in state.tallies.values()]),
        "highs": np.array([tally.high for tally in state.tallies.values()]),
    }
    for number, tally in enumerate(state.tallies.values()):
        keys = np.flatnonzero(tally.counts)
        arrays |= {f"keys{number}": keys, f"counts{number}": tally.counts[keys]}
    half_written = path.with_suffix(f".{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with half_written.open("wb") as file:
            np.savez_compressed(file, **arrays)
        half_written.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            half_written.unlink()
        problem = f"it cannot be written ({error.strerror or error})"
        raise StorageError(f"file {str(path)!r}", problem, "free some space") from error
