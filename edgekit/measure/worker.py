"""The process that loads models and times calls: `python -m edgekit.measure.worker`.

It reads requests on stdin and answers on stdout, see `protocol.py`; whatever a runtime prints
goes to stderr.
"""

import gc
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from edgekit.engines import Array, engine_for, open_engine
from edgekit.errors import EdgekitError, UsageError
from edgekit.manifest import Tensor
from edgekit.measure.clock import Clock, Stopped
from edgekit.measure.energy import Counter, find_counter
from edgekit.measure.memory import peak_memory_mb
from edgekit.measure.protocol import (
    Answer,
    Block,
    Inferred,
    Load,
    Loaded,
    Open,
    Opened,
    Refused,
    Request,
    Times,
    decode_request,
    encode,
    pack,
    unpack,
)

WARM_UP_NS = 500_000_000

Run = Callable[[Mapping[str, Array]], dict[str, Array]]
Call = Callable[[int], tuple[Stopped, int]]
"""Run the sample with this index, wrapping around: (its times, ns of it in features)."""


def main() -> None:
    """Answer requests until stdin ends."""
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    requests: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(requests,), daemon=True).start()
    models = Models()
    while True:
        answers.write(encode(_answer(decode_request(requests.get()), models)))


def _read(requests: queue.SimpleQueue[bytes]) -> None:
    """Queue every line of stdin; when it ends the parent is gone or done, and so is this process.

    A thread, so that it works while a runtime hangs in a call; it sleeps while blocks run.
    """
    for line in sys.stdin.buffer:
        requests.put(line)
    os._exit(0)


class Models:
    """What this process has loaded: sides to time by role, and a model to answer."""

    def __init__(self) -> None:
        self.calls: dict[str, Call] = {}
        self.run: Run | None = None
        self.counter = find_counter()


def _answer(request: Request, models: Models) -> Answer:
    try:
        if isinstance(request, Load):
            return _load(request, models.calls)
        if isinstance(request, Block):
            return _block(request, models.calls, models.counter)
        if isinstance(request, Open):
            models.run, inputs = _open(Path(request.path), request.threads)
            return Opened(inputs)
        assert models.run is not None
        return Inferred(pack(models.run(unpack(request.feeds))))
    except EdgekitError as error:
        return Refused(type(error).__name__, error.thing, error.problem, error.way_out)
    except OSError as error:
        thing, problem = f"file {error.filename!r}", str(error.strerror)
        return Refused("StorageError", thing, problem, "check the path and its permissions")


def _load(request: Load, calls: dict[str, Call]) -> Loaded:
    samples = [_read_sample(files) for files in request.samples]
    started = time.perf_counter_ns()
    call, runtime = (_open_raw if request.raw else _open_model)(request, samples)
    load_ns = time.perf_counter_ns() - started
    first, _ = call(0)
    warm = _warm_up(call, max(request.warm_calls, len(samples)))
    calls[request.role] = call
    return Loaded(
        load_ms=load_ns / 1e6,
        first_ms=first.wall_ns / 1e6,
        warm_ms=min(each.wall_ns for each in warm) / 1e6,
        waits=sum(each.waited for each in warm) / len(warm),
        peak_mb=peak_memory_mb(),
        runtime=runtime,
    )


def _warm_up(call: Call, count: int) -> list[Stopped]:
    """Up to `count` calls."""
    deadline = time.perf_counter_ns() + WARM_UP_NS
    calls = [call(0)[0]]
    while len(calls) < count and time.perf_counter_ns() < deadline:
        calls.append(call(len(calls))[0])
    return calls


def _block(request: Block, calls: dict[str, Call], counter: Counter | None) -> Times:
    stopped: dict[str, list[tuple[Stopped, int]]] = {role: [] for role in request.order}
    gc.collect()
    gc.disable()
    before_uj = counter.read() if counter else 0
    try:
        for role in request.order:
            stopped[role].append(calls[role](request.first_sample + len(stopped[role])))
    finally:
        gc.enable()
    energy_uj = counter.since(before_uj) if counter else None
    features = {role: [ns for _, ns in each] for role, each in stopped.items()}
    cpu = {role: [each.cpu_ns for each, _ in calls] for role, calls in stopped.items()}
    told = all(ns is not None for each in cpu.values() for ns in each)
    return Times(
        total_ns={role: [each.wall_ns for each, _ in calls] for role, calls in stopped.items()},
        features_ns=features if any(any(each) for each in features.values()) else {},
        cpu_ns={role: [ns or 0 for ns in each] for role, each in cpu.items()} if told else {},
        waits={role: sum(each.waited for each, _ in calls) for role, calls in stopped.items()},
        energy_uj=energy_uj,
    )


def _read_sample(files: Mapping[str, str]) -> Any:
    arrays = {name: np.load(path, allow_pickle=False) for name, path in files.items()}
    return arrays.get("", arrays)


def _open(path: Path, threads: int) -> tuple[Run, tuple[Tensor, ...]]:
    """The model of a bundle or file, and what it must be fed."""
    if path.suffix == ".edgekit":
        from edgekit.model import load

        model = load(path, threads=threads, verify="digest")
        return model.infer, model.manifest.inputs
    engine = open_engine(engine_for(path), path, threads=threads)
    return engine.run, engine.inputs


def _open_model(request: Load, samples: list[Any]) -> tuple[Call, str]:
    """The model alone: of a plain file, or of a bundle."""
    path = Path(request.path)
    if path.suffix == ".edgekit":
        from edgekit.model import load

        model = load(path, threads=request.threads, verify="digest")
        run, runtime = model.infer, model.runtime
    else:
        engine = open_engine(engine_for(path), path, threads=request.threads)
        run, runtime = engine.run, engine.runtime

    clock = Clock(request.threads)

    def call(index: int) -> tuple[Stopped, int]:
        feeds = samples[index % len(samples)]
        clock.start()
        run(feeds)
        return clock.stop(), 0

    return call, runtime


def _open_raw(request: Load, samples: list[Any]) -> tuple[Call, str]:
    """A bundle from raw input to decoded result: what an app waits for."""
    if Path(request.path).suffix != ".edgekit":
        problem = "raw inputs can be timed through a bundle only"
        raise UsageError(f"model {request.path!r}", problem, "pack it first")
    from edgekit.model import load

    model = load(request.path, threads=request.threads, verify="digest")
    clock = Clock(request.threads)

    def call(index: int) -> tuple[Stopped, int]:
        raw = samples[index % len(samples)]
        clock.start()
        result = model.run(raw)
        stopped = clock.stop()
        return stopped, round(result.features_ms * 1e6)

    return call, model.runtime


if __name__ == "__main__":
    main()
