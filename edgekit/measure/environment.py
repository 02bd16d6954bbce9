"""Where a measurement was taken: the record without which its figures mean nothing."""

import os
import platform
from importlib import metadata
from pathlib import Path

from msgspec import Struct

import edgekit

CPUINFO = Path("/proc/cpuinfo")
CPU = Path("/sys/devices/system/cpu")
THERMAL = Path("/sys/class/thermal")
PACKAGES = ("numpy", "onnxruntime", "ai-edge-litert", "tflite-runtime")


class Environment(Struct, frozen=True, omit_defaults=True):
    """A machine and what runs on it. What the system does not tell is None, never a guess.

    Attributes:
        device: `"local"`.
        arch: as `uname -m` says.
        cpu: the CPU's name, or its implementer and part on Arm.
        cpu_features: the features that matter to inference, in the kernel's words.
        cores: CPUs that this process may use.
        governor: frequency governor of CPU 0.
        turbo: whether the CPU may exceed its base frequency.
        load_1m: load average of the last minute before measuring.
        temperature_c: the hottest thermal zone before measuring.
        kernel: name and release of the operating system's kernel.
        python: version of Python.
        versions: of edgekit and the packages that make up the result.
    """

    device: str
    arch: str
    cores: int
    kernel: str
    python: str
    versions: dict[str, str]
    cpu: str | None = None
    cpu_features: tuple[str, ...] = ()
    governor: str | None = None
    turbo: bool | None = None
    load_1m: float | None = None
    temperature_c: float | None = None


def local_environment() -> Environment:
    """The record of this machine, now."""
    cpuinfo = _cpuinfo()
    return Environment(
        device="local",
        arch=platform.machine(),
        cores=_cores(),
        kernel=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        versions=_versions(),
        cpu=_cpu_name(cpuinfo),
        cpu_features=_cpu_features(cpuinfo),
        governor=_text(CPU / "cpu0/cpufreq/scaling_governor"),
        turbo=_turbo(),
        load_1m=_load(),
        temperature_c=_temperature(),
    )


ARM_FEATURES = ("neon", "asimd", "asimdhp", "asimddp", "bf16", "i8mm", "sve", "sve2", "sme")
X86_FEATURES = ("sse4_1", "avx", "avx2", "fma", "avx_vnni", "avx512f", "avx512bw", "avx512_vnni")


def _cpuinfo() -> dict[str, str]:
    """The first value of each key of /proc/cpuinfo."""
    found: dict[str, str] = {}
    for line in (_text(CPUINFO) or "").splitlines():
        key, _, value = line.partition(":")
        found.setdefault(key.strip().lower(), value.strip())
    return found


def _cpu_name(cpuinfo: dict[str, str]) -> str | None:
    if "model name" in cpuinfo:
        return cpuinfo["model name"]
    if "cpu part" in cpuinfo:
        return f"implementer {cpuinfo.get('cpu implementer')} part {cpuinfo['cpu part']}"
    return platform.processor() or None


def _cpu_features(cpuinfo: dict[str, str]) -> tuple[str, ...]:
    words = cpuinfo.get("flags", cpuinfo.get("features", "")).split()
    return tuple(feature for feature in ARM_FEATURES + X86_FEATURES if feature in words)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _versions() -> dict[str, str]:
    versions = {"edgekit": edgekit.__version__}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return versions


def _turbo() -> bool | None:
    no_turbo = _text(CPU / "intel_pstate/no_turbo")
    if no_turbo is not None:
        return no_turbo == "0"
    boost = _text(CPU / "cpufreq/boost")
    return None if boost is None else boost == "1"


def _load() -> float | None:
    try:
        return round(os.getloadavg()[0], 2)
    except OSError:
        return None


def _temperature() -> float | None:
    texts = [_text(zone / "temp") for zone in THERMAL.glob("thermal_zone*")]
    degrees = [int(text) / 1000 for text in texts if text and text.lstrip("-").isdigit()]
    return max(degrees, default=None)


def _text(path: Path) -> str | None:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return None
