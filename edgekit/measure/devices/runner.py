"""What a board needs to run edgekit, as zip files: wheels for its Python, and edgekit itself."""

import hashlib
import os
import platform
import zipfile
from dataclasses import dataclass
from pathlib import Path

from edgekit.measure.devices.extension import build_extension, copy_package, own_extension
from edgekit.measure.devices.lock import one_at_a_time, sha256_of
from edgekit.measure.devices.userland import aarch64_headers
from edgekit.measure.devices.wheels import NAMES, Platform, fetch_wheels, requirements
from edgekit.measure.process import SETTINGS

EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Archive:
    """Zip files that are unpacked together.

    Attributes:
        folder: their folder in the board's cache, named by digest.
        files: on this machine.
    """

    folder: str
    files: tuple[Path, ...]


@dataclass(frozen=True)
class Runner:
    """Everything that is sent to a board once.

    Attributes:
        archives: in the order of PYTHONPATH.
        notes: what is missing in it.
        way_out: what to do when it does not run; empty where that is not known.
    """

    archives: tuple[Archive, ...]
    notes: tuple[str, ...]
    way_out: str

    @property
    def environment(self) -> dict[str, str]:
        """Variables of every edgekit process on a board: as on this machine."""
        return dict(SETTINGS)


def build_runner(
    cache: Path,
    arch: str,
    python: tuple[int, int],
    glibc: tuple[int, int] | None,
    thing: str,
) -> Runner:
    """Fetch and build what a board of this kind needs.

    Args:
        cache: edgekit's cache folder on this machine.
        arch: as the board's `uname -m` says.
        python: its version there.
        glibc: its version there; None where the board has another libc, for which there are no
            wheels: then the board must have the packages itself.
        thing: the device that errors name.

    Raises:
        DeviceError: wheels cannot be fetched, or the kernels cannot be built.
    """
    cache = cache / "board"
    cache.mkdir(parents=True, exist_ok=True)
    with one_at_a_time(cache / "building", thing):
        library = _library(cache, arch, thing) if glibc is not None else None
        notes = () if library else ("features ran on this machine: no kernels for the board",)
        edgekit = _package(cache, library)
        if glibc is None:
            way_out = f"it has no glibc, so install there: {', '.join(NAMES)}"
            return Runner((edgekit,), notes, way_out)
        wheels = _wheels(cache, Platform(arch, python, glibc), thing)
    return Runner((wheels, edgekit), notes, "")


def _library(cache: Path, arch: str, thing: str) -> Path | None:
    if arch == platform.machine():
        return own_extension()
    if arch == "aarch64":
        headers = aarch64_headers(cache.parent / "arm", thing)
        return build_extension(cache, headers, thing)
    return None


def _package(cache: Path, library: Path | None) -> Archive:
    """This edgekit as one zip file; the same files give the same bytes."""
    folder = copy_package(cache, library)
    packed = folder.with_name(f"{folder.name}.zip")
    if not packed.exists():
        partial = packed.with_suffix(f".{os.getpid()}.partial")
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix != ".pyc"):
                entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), EPOCH)
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, path.read_bytes())
        partial.replace(packed)
    return Archive(f"edgekit-{sha256_of(packed)[:16]}", (packed,))


def _wheels(cache: Path, wanted: Platform, thing: str) -> Archive:
    digest = hashlib.sha256(" ".join([wanted.name, *requirements()]).encode()).hexdigest()[:16]
    files = fetch_wheels(cache / f"wheels-{digest}", wanted, thing)
    together = hashlib.sha256("".join(sha256_of(file) for file in files).encode())
    return Archive(f"wheels-{together.hexdigest()[:16]}", tuple(files))
