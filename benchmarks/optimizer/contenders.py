"""Who makes a model: edgekit as users run it, and tools to compare it with."""

import json
import sys
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from cases import Workload
from edgekit_converters.search.identity import machine, own_code
from resources import Ran, run_measured


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

    @property
    def name(self) -> str: ...

    def depends(self) -> list[Any]:
        """What the result depends on beside the model, ready for JSON."""
        ...

    def make(self, workload: Workload, folder: Path) -> Made:
        """Make it. What fails is a `Made` with a problem, not an error."""
        ...


@dataclass(frozen=True)
class Edgekit:
    """`edgekit optimize`, in a process of its own.

    Attributes:
        data: digest of the task's samples and code.
        options: further arguments, such as `--target cortex-a76`.
        name: what tables call it.
    """

    data: str | None
    options: tuple[str, ...] = ()
    name: str = "edgekit"

    def depends(self) -> list[Any]:
        """Data, options, edgekit's own code and this machine, where costs are measured."""
        return [self.data, self.options, own_code(), machine()]

    def make(self, workload: Workload, folder: Path) -> Made:
        """The model out of the bundle that it packed."""
        out = folder / "out"
        command = [
            sys.executable, "-m", "edgekit.cli", "optimize", str(workload.model),
            "--task", str(workload.task), "--out", str(out), "--name", workload.name, "--json",
            "--no-cache", *self.options,
        ]  # fmt: skip
        ran = run_measured(command, folder)
        if ran.code:
            return Made(None, ran.stderr.strip().splitlines()[-1], spent(ran))
        told = json.loads(ran.stdout)
        chosen = next(each for each in told["candidates"] if each["recipe"] == told["chosen"])
        about = {key: chosen[key] for key in ("recipe", "why", "note")}
        about["tried"] = len(told["candidates"])
        bundle = out / f"{workload.name}-1.edgekit"
        return Made(_unpacked(bundle, folder), "", about | spent(ran))


def _unpacked(bundle: Path, folder: Path) -> Path:
    with zipfile.ZipFile(bundle) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        return Path(archive.extract(manifest["model"], folder))


def spent(ran: Ran) -> dict[str, float]:
    """What it took, for `Made.about`."""
    return {"cpu_s": ran.cpu_s, "wall_s": ran.wall_s, "peak_mb": ran.peak_mb}
