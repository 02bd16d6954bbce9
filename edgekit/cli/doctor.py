"""`edgekit doctor`: what this machine has, and what is missing for which command."""

import argparse
import importlib.util
import json
import os
import platform
import shutil
from importlib import metadata
from typing import Any

HELP = "show what this installation can do, and what is missing"

PACKAGES = {
    "numpy": "base", "cffi": "base", "msgspec": "base", "onnxruntime": "base",
    "onnx": "convert", "onnxconverter-common": "convert", "jinja2": "convert",
    "rich": "convert", "pillow": "convert", "ai-edge-litert": "litert",
}  # fmt: skip
PROGRAMS = {"qemu-aarch64": "emulated Arm", "ssh": "devices over ssh", "adb": "devices over adb"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Run it; 0 where the device package works, else 2."""
    found = examine()
    print(json.dumps(found) if args.json else as_text(found))
    return 0 if found["ok"] else 2


def examine() -> dict[str, Any]:
    """Versions, CPU, programs and folders as JSON types."""
    from edgekit.selftest import cache_folder

    folder = cache_folder()
    parent = next(p for p in (folder, *folder.parents) if p.exists())
    packages = {name: _version(name) for name in PACKAGES}
    native = importlib.util.find_spec("edgekit._native._kernels") is not None
    base = all(packages[name] for name, extra in PACKAGES.items() if extra == "base")
    return {
        "ok": native and base,
        "edgekit": _version("edgekit"),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs",
        "cpu_features": _cpu_features() if native else [],
        "native_kernels": native,
        "packages": packages,
        "programs": {name: shutil.which(name) for name in PROGRAMS},
        "cache": {"folder": str(folder), "writable": os.access(parent, os.W_OK)},
    }


def as_text(found: dict[str, Any]) -> str:
    """The same for a person, with the way out beside whatever is missing."""
    lines = [
        f"edgekit {found['edgekit']}, Python {found['python']}, {found['machine']}",
        f"CPU features    {' '.join(found['cpu_features']) or 'unknown'}",
        f"native kernels  {'ok' if found['native_kernels'] else 'missing: reinstall edgekit'}",
    ]
    for name, version in found["packages"].items():
        extra = PACKAGES[name]
        wanted = "edgekit" if extra == "base" else f"'edgekit[{extra}]'"
        lines.append(f"{name:20}  {version or f'missing: pip install {wanted}'}")
    for name, path in found["programs"].items():
        lines.append(f"{name:20}  {path or f'missing: needed for {PROGRAMS[name]}'}")
    cache = found["cache"]
    writable = "" if cache["writable"] else " (cannot be written: self-tests run at every load)"
    return "\n".join([*lines, f"cache           {cache['folder']}{writable}"])


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _cpu_features() -> list[str]:
    from edgekit import kernels

    return list(kernels.cpu_features())
