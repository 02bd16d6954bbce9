"""What a search depends on, as digests: data, code, versions, machine."""

import hashlib
import sys
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec

from edgekit.measure.environment import local_environment
from edgekit.task import SPLITS, Task
from edgekit_converters.search.evaluate import RememberedTask

PACKAGES = ("edgekit", "edgekit_converters")


def digest_of(*parts: Any) -> str:
    """One digest of values that msgspec encodes; sets and dicts have no order."""
    return hashlib.sha256(msgspec.json.encode(parts, order="deterministic")).hexdigest()


def data_digest(task: RememberedTask) -> str | None:
    """Of every sample of both splits and of the task's code; None where samples do not pickle.

    Raises:
        TaskError: the task breaks a promise.
    """
    found = [task.digest(split) for split in SPLITS]
    return None if None in found else digest_of(found, task_code(task))


def task_code(task: Task) -> dict[str, str]:
    """Digests of the task file and of the neighbours that it imported."""
    folder = task.path.resolve().parent
    files = {task.path.resolve()}
    for module in list(sys.modules.values()):
        path = Path(getattr(module, "__file__", None) or "/")
        if path.suffix == ".py" and path.resolve().parent == folder:
            files.add(path.resolve())
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(files)}


@cache
def own_code() -> str:
    """Of edgekit's own Python files: what they found out holds for them only."""
    digest = hashlib.sha256()
    for package in PACKAGES:
        root = Path(str(resources.files(package)))
        for path in sorted(root.rglob("*.py")):
            digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def machine() -> list[Any]:
    """What figures taken here hold for."""
    here = local_environment()
    return [here.arch, here.cpu, here.cpu_features, here.versions, here.python]
