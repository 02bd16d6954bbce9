"""Other tools as contenders: each in a process of its own, with limits of time and memory."""

import hashlib
import pickle
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from cases import Workload
from contenders import Made, spent
from peer_process import PEERS
from resources import run_measured

from edgekit.engines import Array

SECONDS = 900
MEMORY_BYTES = 10_000_000_000
"""Of address space: several times what is resident."""
PACKAGES: Mapping[str, tuple[str, ...]] = {
    "ort_static": ("onnxruntime", "onnx"),
    "ort_dynamic": ("onnxruntime", "onnx"),
    "nncf": ("nncf", "onnxruntime", "onnx"),
    "onnxsim": ("onnxsim", "onnxruntime", "onnx"),
    "onnxsim_full": ("onnxsim", "onnxruntime", "onnx"),
    "onnxsim_auto": ("onnxsim", "onnxruntime", "onnx"),
}
SCRIPT = Path(__file__).with_name("peer_process.py")
NAMES = tuple(PEERS)


@dataclass(frozen=True)
class Peer:
    """A tool at its defaults.

    Attributes:
        name: of `peer_process.PEERS`.
        feeds: what it calibrates on.
    """

    name: str
    feeds: Sequence[Mapping[str, Array]]

    def depends(self) -> list[Any]:
        """Tool, versions and calibration data."""
        content = hashlib.sha256(pickle.dumps(self.feeds)).hexdigest()
        return [self.name, versions(self.name), content, SCRIPT.read_text()]

    def make(self, workload: Workload, folder: Path) -> Made:
        """Run it; what it leaves behind may still not load."""
        shutil.copy(workload.model, folder / "model.onnx")
        (folder / "feeds.pickle").write_bytes(pickle.dumps(self.feeds))
        command = [sys.executable, str(SCRIPT), self.name, str(folder)]
        ran = run_measured(  # there: symbolic shape inference leaves files where it runs
            command, folder, timeout_s=SECONDS, memory_bytes=MEMORY_BYTES, cwd=folder
        )
        about = {"versions": versions(self.name), **spent(ran)}
        result = folder / "result.onnx"
        if ran.code == 0 and result.is_file():
            return Made(result, "", about)
        said = [line for line in ran.stderr.splitlines() if line.strip()] or ["no word"]
        return Made(None, f"ended with code {ran.code}: {said[-1].strip()[:200]}", about)


def versions(name: str) -> dict[str, str]:
    """Of the packages that a peer is made of."""
    return {package: metadata.version(package) for package in PACKAGES[name]}
