"""What contenders made, kept by the digest of all that it depends on: a run that stops goes on."""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cases import Workload
from contenders import Contender, Made

ABOUT = "about.json"


def made_of(contender: Contender, workload: Workload, keep: Path) -> Made:
    """What a contender makes of a workload, or made before.

    Args:
        contender: who.
        workload: of what.
        keep: folder of results.
    """
    model = hashlib.sha256(workload.model.read_bytes()).hexdigest()
    entry = keep / _digest([model, *contender.depends()])
    if not (entry / ABOUT).is_file():
        _make(contender, workload, entry)
    known = json.loads((entry / ABOUT).read_text())
    path = entry / known["path"] if known["path"] else None
    return Made(path, known["problem"], known["about"])


def remembered(keep: Path, depends: list[Any], make: Callable[[], int]) -> int:
    """A number that is always the same for what it depends on."""
    path = keep / f"{_digest(depends)}.json"
    if not path.is_file():
        found = make()
        keep.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(found))
        partial.replace(path)
    return int(json.loads(path.read_text()))


def _digest(depends: list[Any]) -> str:
    key = json.dumps(depends, sort_keys=True, default=str)
    return hashlib.sha256(key.encode()).hexdigest()


def _make(contender: Contender, workload: Workload, entry: Path) -> None:
    """Make it beside the entry, then move it there: an entry is whole or not there."""
    entry.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".making-", dir=entry.parent) as name:
        making, whole = Path(name) / "making", Path(name) / "whole"
        making.mkdir()
        whole.mkdir()
        made = contender.make(workload, making)
        path = None
        if made.path is not None:
            path = Path(shutil.copy(made.path, whole)).name
        (whole / ABOUT).write_text(json.dumps(asdict(made) | {"path": path}))
        shutil.rmtree(entry, ignore_errors=True)
        whole.replace(entry)
