"""Who makes a model: edgekit as users run it, and tools to compare it with."""

import json
import sys
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from resources import Ran, run_measured
from workloads import Workload


@dataclass(frozen=True)
class Made:
    """What a contender made of a workload.

    Attributes:
        path: the .onnx file to ship; None where none came.
        problem: why none came.
        about: what is worth a column or a look, ready for JSON.
    """

    path: Path | None
    problem: str = ""
    about: dict[str, Any] = field(default_factory=dict)


class Contender(Protocol):
    """A tool that makes a small model of an fp32 one, by itself."""

    name: str

    def make(self, workload: Workload, folder: Path) -> Made:
        """Make it. What fails is a `Made` with a problem, not an error."""
        ...


@dataclass(frozen=True)
class Edgekit:
    """`edgekit optimize`, in a process of its own.

    Attributes:
        options: further arguments, such as `--target cortex-a76`.
    """

    options: tuple[str, ...] = ()
    name: str = "edgekit"

    def make(self, workload: Workload, folder: Path) -> Made:
        """The model out of the bundle that it packed."""
        out = folder / "out"
        command = [
            sys.executable, "-m", "edgekit.cli", "optimize", str(workload.model),
            "--task", str(workload.task), "--out", str(out), "--name", workload.name, "--json",
            *self.options,
        ]  # fmt: skip
        ran = run_measured(command, folder)
        if ran.code:
            return Made(None, ran.stderr.strip().splitlines()[-1], _spent(ran))
        told = json.loads(ran.stdout)
        chosen = next(each for each in told["candidates"] if each["recipe"] == told["chosen"])
        about = {"recipe": told["chosen"], "why": chosen["why"], "tried": len(told["candidates"])}
        bundle = out / f"{workload.name}-1.edgekit"
        return Made(_unpacked(bundle, folder), "", about | _spent(ran))


def _unpacked(bundle: Path, folder: Path) -> Path:
    with zipfile.ZipFile(bundle) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        return Path(archive.extract(manifest["model"], folder))


def _spent(ran: Ran) -> dict[str, float]:
    return {"cpu_s": ran.cpu_s, "wall_s": ran.wall_s, "peak_mb": ran.peak_mb}
