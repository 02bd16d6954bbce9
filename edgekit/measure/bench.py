"""One model alone on this machine: what `edgekit bench` prints."""

from pathlib import Path
from typing import Any

import msgspec

from edgekit.bundle import Bundle
from edgekit.measure.latency import Measured, Sampling, measure
from edgekit.measure.recording import CANDIDATE, SideFigures, side_figures
from edgekit.measure.samples import Samples, golden_samples, model_inputs, synthetic_samples

PROCESSES = 3


def bench(
    path: Path,
    *,
    task: Path | None = None,
    threads: int = 1,
    calls: int = 918,
    max_s: float = 60.0,
) -> dict[str, Any]:
    """Measure a bundle or a model file.

    Args:
        path: the file.
        task: a task file whose inputs to time with; without one a bundle's golden raw inputs are
            used, and synthetic inputs where there are none.
        threads: threads that one inference may use.
        calls: how many calls to time, over three fresh processes.
        max_s: seconds after which timing stops.

    Returns:
        `device`, `latency_ms`, `throughput_per_s`, `memory_mb`, `size_bytes`, `versions`,
        `samples`, `inputs`, `environment`. What cannot be measured here is absent.

    Raises:
        CrashError: the model ended or hung the process that ran it.
        EdgekitError: a file is missing or damaged, or cannot be run.
    """
    sampling = Sampling(threads=threads, processes=PROCESSES, max_calls=calls, max_s=max_s)
    measured = measure({CANDIDATE: path}, _samples(path, task), sampling)
    return _as_object(path, measured, side_figures(measured.recording, CANDIDATE))


def _samples(path: Path, task: Path | None) -> Samples:
    if task is not None:
        from edgekit.measure.samples import task_samples
        from edgekit.task import load_task

        return task_samples(load_task(task), path)
    golden = golden_samples(path) if path.suffix == ".edgekit" else None
    return golden or synthetic_samples(model_inputs(path))


def _as_object(path: Path, measured: Measured, figures: SideFigures) -> dict[str, Any]:
    environment = msgspec.to_builtins(measured.environment)
    found = {
        "device": environment.pop("device"),
        "latency_ms": {
            **msgspec.to_builtins(figures.latency_ms),
            "first": figures.first_ms,
            "load": figures.load_ms,
        },
        "throughput_per_s": figures.throughput_per_s,
        "size_bytes": _sizes(path),
        "versions": environment.pop("versions"),
        "samples": {"calls": figures.calls, "processes": PROCESSES},
        "inputs": measured.inputs,
        "runtime": figures.runtime,
        "environment": environment,
    }
    if figures.features_p50_ms is not None:
        found["latency_ms"]["features_p50"] = figures.features_p50_ms
        found["latency_ms"]["model_p50"] = figures.model_p50_ms
    if figures.peak_mb is not None:
        found["memory_mb"] = {"peak": figures.peak_mb}
    return found


def _sizes(path: Path) -> dict[str, int]:
    if path.suffix != ".edgekit":
        return {"model": path.stat().st_size}
    with Bundle.open(path) as bundle:
        model = len(bundle.read(bundle.manifest.model))
        return {"model": model, "bundle": bundle.size_bytes}
