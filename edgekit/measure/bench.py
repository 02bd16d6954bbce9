"""One model alone on one device: what `edgekit bench` prints."""

from pathlib import Path
from typing import Any

import msgspec

from edgekit.bundle import Bundle
from edgekit.errors import InternalError
from edgekit.measure.contained import contained_model
from edgekit.measure.devices import Measurement, open_device
from edgekit.measure.devices.address import split_url
from edgekit.measure.energy import WHY_NOT
from edgekit.measure.external import external_parts
from edgekit.measure.latency import Sampling, measure
from edgekit.measure.recording import CANDIDATE, SideFigures, side_figures
from edgekit.measure.samples import (
    Samples,
    golden_samples,
    model_inputs,
    synthetic_samples,
    task_samples,
)

PROCESSES = 3


def bench(
    path: Path,
    *,
    device: str = "local",
    task: Path | None = None,
    threads: int = 1,
    calls: int = 918,
    max_s: float = 60.0,
) -> dict[str, Any]:
    """Measure a bundle or a model file.

    Args:
        path: the file.
        device: `local`, or the address of another.
        task: a task file whose inputs to time with; without one a bundle's golden raw inputs are
            used, and synthetic inputs where there are none.
        threads: threads that one inference may use.
        calls: how many calls to time, over three fresh processes.
        max_s: seconds after which timing stops.

    Returns:
        `device`, `size_bytes`, `versions`, `samples`, `inputs`, `environment`; with a clock
        `latency_ms`, `throughput_per_s`, `memory_mb`, `energy_mj`; from an emulated Arm
        `instructions`. What a device cannot give is absent; `not_measured` says why.

    Raises:
        CrashError: the model ended or hung the process that ran it.
        DeviceError: the device cannot be reached or set up, or disappeared.
        EdgekitError: a file is missing or damaged, or cannot be run.
    """
    scheme, _ = split_url(device)
    samples = _samples(path, task)
    sampling = Sampling(threads=threads, processes=PROCESSES, max_calls=calls, max_s=max_s)
    return _as_object(path, _measured(path, scheme, device, samples, sampling))


def _measured(
    path: Path, scheme: str, url: str, samples: Samples, sampling: Sampling
) -> Measurement:
    if scheme == "local":
        measured = measure({CANDIDATE: path}, samples, sampling)
        figures = side_figures(measured.recording, CANDIDATE)
        size, environment = path.stat().st_size, measured.environment
        return Measurement(url, size, environment, measured.inputs, timed=figures)
    device = open_device(url)
    try:
        if scheme == "arm":
            return device.measure(path, samples)
        from edgekit.measure.devices.remote import BoardDevice

        if not isinstance(device, BoardDevice):
            raise InternalError(f"device {url!r}", "it has no clock", "report this bug")
        return device.measure(path, samples, sampling)
    finally:
        device.close()


def _samples(path: Path, task: Path | None) -> Samples:
    if task is not None:
        from edgekit.task import load_task

        with contained_model(path) as model:
            return task_samples(load_task(task), model.run)
    golden = golden_samples(path) if path.suffix == ".edgekit" else None
    return golden or synthetic_samples(model_inputs(path))


def _as_object(path: Path, measured: Measurement) -> dict[str, Any]:
    environment = msgspec.to_builtins(measured.environment)
    found: dict[str, Any] = {
        "device": environment.pop("device"),
        "size_bytes": _sizes(path),
        "versions": environment.pop("versions"),
        "inputs": measured.inputs,
        "environment": environment,
    }
    if measured.timed is not None:
        found |= _timed(measured.timed)
    if measured.counted is not None:
        counted = measured.counted
        instructions = {"inference": msgspec.to_builtins(counted.inference)}
        if counted.features is not None:
            instructions["features"] = msgspec.to_builtins(counted.features)
        found["instructions"] = instructions
        found["samples"] = {"calls": sum(sample.calls for sample in counted.samples)}
        found["outputs_identical"] = counted.outputs_identical
        found["runtime"] = counted.runtime
    if measured.notes:
        found["notes"] = list(measured.notes)
    return found


def _timed(figures: SideFigures) -> dict[str, Any]:
    latency = msgspec.to_builtins(figures.latency_ms)
    latency |= {"first": figures.first_ms, "load": figures.load_ms}
    if figures.features_p50_ms is not None:
        latency["features_p50"] = figures.features_p50_ms
        latency["model_p50"] = figures.model_p50_ms
    found = {
        "latency_ms": latency,
        "throughput_per_s": figures.throughput_per_s,
        "samples": {"calls": figures.calls, "processes": PROCESSES},
        "runtime": figures.runtime,
    }
    if figures.peak_mb is not None:
        found["memory_mb"] = {"peak": figures.peak_mb}
    if figures.energy_mj is None:
        found["not_measured"] = {"energy_mj": WHY_NOT}
    else:
        found["energy_mj"] = {"call": figures.energy_mj}
    return found


def _sizes(path: Path) -> dict[str, int]:
    if path.suffix != ".edgekit":
        parts = external_parts(path, path.read_bytes())
        return {"model": path.stat().st_size + sum(map(len, parts))}
    with Bundle.open(path) as bundle:
        model = len(bundle.read(bundle.manifest.model))
        return {"model": model, "bundle": bundle.size_bytes}
