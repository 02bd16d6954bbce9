"""Explanations as an earlier optimization wrote them down."""

import zipfile
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from edgekit.errors import StorageError, UsageError
from edgekit_converters.explain.explanation import Explanation

MEMBER = "evidence/candidates.json"
PATTERN = "*.evidence.json"


class _Recorded(Struct):
    model: dict[str, Any]
    target: dict[str, Any]
    explanations: list[Explanation] | None = None


def read_explanations(path: Path) -> tuple[str, list[Explanation]]:
    """What an evidence file says.

    Args:
        path: of the file, of a bundle, or of a folder: then the newest evidence in it.

    Returns:
        Model and target in words, and the explanations.

    Raises:
        StorageError: it cannot be read.
        UsageError: it is no evidence of a search, or of one that explained nothing yet.
    """
    if not path.suffix and not path.exists():
        problem, way_out = "there is no such folder", "run `edgekit optimize` first"
        raise UsageError(f"folder {str(path)!r}", problem, way_out)
    path = _newest(path) if path.is_dir() else path
    thing = f"evidence {str(path)!r}"
    way_out = "give the folder that `edgekit optimize` wrote, a bundle, or MODEL.onnx with --task"
    try:
        found = msgspec.json.decode(evidence_content(path), type=_Recorded)
    except OSError as error:
        problem = f"it cannot be read ({error.strerror or error})"
        raise StorageError(thing, problem, way_out) from None
    except (msgspec.DecodeError, KeyError, UnicodeDecodeError, zipfile.BadZipFile) as error:
        raise UsageError(thing, f"it is no evidence of a search ({error})", way_out) from None
    if found.explanations is None:
        raise UsageError(thing, "it is older than explanations", "optimize again")
    return f"{found.model.get('name')} for {found.target.get('name')}", found.explanations


def evidence_content(path: Path) -> bytes:
    """The bytes of an evidence file, or of the evidence in a bundle.

    Raises:
        OSError: it cannot be read.
        KeyError: the bundle has none.
    """
    if not zipfile.is_zipfile(path):
        return path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        return archive.read(MEMBER)


def _newest(folder: Path) -> Path:
    files = sorted(folder.glob(PATTERN), key=lambda path: (path.stat().st_mtime, path.name))
    if not files:
        problem = f"there is no {PATTERN} in it"
        raise UsageError(f"folder {str(folder)!r}", problem, "run `edgekit optimize` first")
    return files[-1]
