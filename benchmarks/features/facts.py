"""What is told beside the times: memory, sizes, call overhead, instructions on Arm, identity."""

import os
import platform
import subprocess
import tempfile
import time
from pathlib import Path

import builds
import numpy as np
from features.speech import speech
from memory import memory

from edgekit._native import _kernels
from edgekit.features import ImageTensor, LogMel, MicroFrontend, RollingStats
from edgekit.kernels import available_isas
from edgekit.measure.devices.plugin import build_plugin

ROOT = Path(__file__).parents[2]
CPUS = {
    "cortex-a53": "cortex-a53",
    "cortex-a76": "cortex-a76",
    "SVE of 32 bytes": "max,sve256=on,sme=off",
}
ARM_ISAS, MARKS = ("portable", "NEON", "SVE"), 3


def machine() -> str:
    """The CPU, and what was going on."""
    lines = Path("/proc/cpuinfo").read_text("utf8").splitlines()
    name = next(
        (line.split(": ")[1] for line in lines if line.startswith("model name")), "unknown CPU"
    )
    load = os.getloadavg()[0]
    software = f"Python {platform.python_version()}; {', '.join(available_isas())}"
    return f"{name}, {os.cpu_count()} CPUs, load {load:.1f}; {software}"


def sizes() -> dict[str, str]:
    """Bytes of the extension and of its sources."""
    built = Path(_kernels.__file__)
    sources = [*(ROOT / "native/src").rglob("*.[ch]")]
    lines = sum(len(p.read_text("utf8").splitlines()) for p in sources)
    size = sum(p.stat().st_size for p in sources)
    return {
        "shared object": f"{built.stat().st_size:,} bytes, symbols included",
        "sources": f"{len(sources)} files, {lines:,} lines, {size:,} bytes",
    }


def overhead() -> dict[str, str]:
    """Of a call that has next to nothing to do."""
    stream, silence = LogMel.kaldi().stream(), np.zeros(0, np.float32)
    micro, nothing = MicroFrontend().stream(), np.zeros(0, np.int16)
    log_mel, frame = LogMel.kaldi(), np.zeros(400, np.float32)
    pixel, image = ImageTensor(height_px=1, width_px=1), np.zeros((1, 1, 3), np.uint8)
    stats, sample = RollingStats(2), np.zeros(1)
    rolling = stats.stream()
    jobs = {
        "LogMel.kaldi, one frame": lambda: log_mel(frame),
        "LogMel.kaldi stream, push of no samples": lambda: stream.push(silence),
        "MicroFrontend stream, push of no samples": lambda: micro.push(nothing),
        "ImageTensor, one pixel": lambda: pixel(image),
        "RollingStats, one sample": lambda: stats(sample),
        "RollingStats stream, push of one sample": lambda: rolling.push(sample),
    }
    found = {}
    for name, job in jobs.items():
        best = float("inf")
        for _ in range(20):
            start = time.perf_counter_ns()
            for _ in range(500):
                job()
            best = min(best, (time.perf_counter_ns() - start) / 500)
        found[name] = f"{best / 1000:.2f} µs"
    return found


def identity() -> dict[str, str]:
    """Log-mel energies of 10 s of speech: the best instruction set beside the others."""
    samples, found = (speech(0, 10) * 32_768).astype(np.float32), {}
    for name, build in {"as shipped": builds.shipped(), "fused": builds.fused()}.items():
        if build is not None:
            for other in build.isas[-2::-1]:
                pair = (build.isas[-1], other)
                found[f"{name}, {' and '.join(pair)}"] = builds.differing(build, samples, pair)
    return found


def on_arm() -> dict[str, str]:
    """Instructions per unit of each operation of the harness, beside portable C."""
    harness = ROOT / "build/aarch64/native/tests/harness"
    if not harness.exists():
        return {"not counted": "no build/aarch64; run: make arm-test"}
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        plugin = build_plugin(Path(folder), "benchmark")
        for title, cpu in CPUS.items():
            for name, text in counted(harness, plugin, cpu).items():
                found[f"{title}, {name}"] = text
    return found


def counted(harness: Path, plugin: Path, cpu: str) -> dict[str, str]:
    """By operation, of one CPU."""
    read, write = os.pipe()
    command = ["qemu-aarch64", "-cpu", cpu, "-L", "/usr/aarch64-linux-gnu"]
    command += ["-plugin", f"{plugin},fd={write}", str(harness), "--mark"]
    ran = subprocess.run(command, pass_fds=[write], capture_output=True, text=True, check=False)
    os.close(write)
    if ran.returncode != 0:
        os.close(read)
        return {"not counted": f"{ran.stderr.strip()}; is it of these sources? run: make arm-test"}
    with os.fdopen(read) as marks:
        lines = [[int(word) for word in line.split()] for line in marks]
    rows = [line.split(" ", 2) for line in ran.stdout.splitlines()]
    isas = ARM_ISAS[: len(lines) // (MARKS * len(rows))]
    found = {}
    for index, (name, units, unit) in enumerate(rows):
        start = MARKS * len(isas) * index
        each = {
            isa: (lines[at + 2][2] - lines[at + 1][2]) / int(units)
            for isa, at in zip(isas, range(start, len(lines), MARKS), strict=False)
        }
        told = (f"{isa} {n:,.0f} ({each['portable'] / n:.2f}×)" for isa, n in each.items())
        found[name] = f"{', '.join(told)} per {unit}"
    return found


def gather() -> dict[str, dict[str, str]]:
    """All of it, by title."""
    return {
        "Sizes": sizes(),
        "Memory beside input and result, with the best instruction set": memory(),
        "Call overhead": overhead(),
        "Log-mel values that differ between instruction sets": identity(),
        "Instructions on emulated Arm": on_arm(),
    }
