"""Open a bundle, check every digest, hand out files; and write one.

A bundle is a container (`container.py`) whose first entry is `manifest.json`. The manifest lists
every other file with size and sha256, except what lies in `attestations/`, which sign the
manifest. The sha256 of `manifest.json` therefore stands for the bundle.
"""

import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import msgspec

from edgekit.container import Entry, read_container, write_container
from edgekit.errors import BundleError, StorageError
from edgekit.manifest import ClassifySpec, CtcSpec, File, Manifest, decode_manifest, encode_manifest

MANIFEST = "manifest.json"
ATTESTATIONS = "attestations/"
MAX_MANIFEST_BYTES = 4 << 20


def write_bundle(path: Path, manifest: Manifest, files: Mapping[str, bytes]) -> None:
    """Write a bundle: all of it or nothing, and the same bytes for the same inputs.

    Args:
        path: where to; an existing file is replaced at the end.
        manifest: its `files` are filled in here.
        files: content by path inside the bundle, without `manifest.json`.

    Raises:
        BundleError: the manifest and the files do not fit, or a path is refused.
        StorageError: the folder cannot be written or the disk is full.
    """
    thing = f"bundle {str(path)!r}"
    listed = tuple(
        File(name, hashlib.sha256(files[name]).hexdigest(), len(files[name]))
        for name in sorted(files)
        if not name.startswith(ATTESTATIONS)
    )
    data = encode_manifest(msgspec.structs.replace(manifest, files=listed))
    _check_references(decode_manifest(data, thing), thing)
    contents = {MANIFEST: data, **{name: files[name] for name in sorted(files)}}
    write_atomically(path, lambda file: write_container(file, contents, thing))


def write_atomically(path: Path, write: Callable[[BinaryIO], None]) -> None:
    """Let `write` fill a file beside `path`, then put it in place; leave nothing on failure.

    Raises:
        StorageError: the folder cannot be written or the disk is full.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        try:
            with partial.open("xb") as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        problem = f"it cannot be written ({error.strerror or error})"
        way_out = "free some space or choose a folder that can be written"
        raise StorageError(f"file {str(path)!r}", problem, way_out) from error


class Bundle:
    """An open bundle whose layout and digests were all checked. A context manager."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path = path
        self.thing = f"bundle {path.name!r}"
        self._file = file
        self._entries = {entry.name: entry for entry in read_container(file, self.thing)}
        self.size_bytes = os.fstat(file.fileno()).st_size
        data = self._read_manifest()
        self.sha256 = hashlib.sha256(data).hexdigest()
        """Of `manifest.json`: it stands for the bundle, whatever attestations were added."""
        self.manifest = decode_manifest(data, self.thing)
        self._digests = {listed.path: listed for listed in self.manifest.files}
        self._check_files()
        _check_references(self.manifest, self.thing)

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """Open and check a bundle.

        Raises:
            BundleError: it breaks a rule of the format, or a digest differs.
            StorageError: the file cannot be read.
        """
        path = Path(path)
        try:
            file = path.open("rb")
        except OSError as error:
            raise StorageError(
                f"bundle {str(path)!r}",
                f"it cannot be opened ({error.strerror or error})",
                "check the path and its permissions",
            ) from error
        try:
            return cls(path, file)
        except BaseException:
            file.close()
            raise

    @property
    def names(self) -> tuple[str, ...]:
        """Paths of all entries, in the order of the file."""
        return tuple(self._entries)

    def read(self, name: str) -> bytes:
        """Content of one file, its digest checked again.

        Raises:
            BundleError: no such file in the bundle, or it changed since it was opened.
        """
        if name not in self._entries:
            way_out = "list what is there with: edgekit inspect"
            raise BundleError(self.thing, f"it has no file {name!r}", way_out)
        data = self._content(self._entries[name])
        listed = self._digests.get(name)
        if listed is not None:
            self._check_digest(listed, data)
        return data

    def close(self) -> None:
        """Close the file; reading from it is over."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _content(self, entry: Entry) -> bytes:
        return os.pread(self._file.fileno(), entry.size_bytes, entry.offset)

    def _read_manifest(self) -> bytes:
        first = next(iter(self._entries.values()), None)
        if first is None or first.name != MANIFEST:
            problem = f"its first entry is not {MANIFEST}"
            raise BundleError(self.thing, problem, "pack it again with edgekit")
        if first.size_bytes > MAX_MANIFEST_BYTES:
            problem = f"{MANIFEST} has {first.size_bytes} bytes, at most {MAX_MANIFEST_BYTES}"
            raise BundleError(self.thing, problem, "pack it again with fewer files")
        return self._content(first)

    def _check_files(self) -> None:
        for listed in self.manifest.files:
            if listed.path == MANIFEST or listed.path not in self._entries:
                problem = f"the manifest lists {listed.path!r}, which is not in it"
                raise BundleError(self.thing, problem, "download it again")
            self._check_digest(listed, self._content(self._entries[listed.path]))
        if len(self._digests) != len(self.manifest.files):
            raise BundleError(self.thing, "the manifest lists a file twice", "pack it again")
        for name in self._entries:
            if name not in self._digests and name != MANIFEST and not name.startswith(ATTESTATIONS):
                problem = f"it has a file {name!r} that the manifest does not list"
                raise BundleError(self.thing, problem, "download it again")

    def _check_digest(self, listed: File, data: bytes) -> None:
        if len(data) != listed.size_bytes:
            problem = f"{listed.path} has {len(data)} bytes, manifest says {listed.size_bytes}"
            raise BundleError(self.thing, problem, "download it again")
        digest = hashlib.sha256(data).hexdigest()
        if digest != listed.sha256:
            problem = (
                f"{listed.path} has sha256 {digest[:12]}…, manifest says {listed.sha256[:12]}…"
            )
            raise BundleError(self.thing, problem, "download it again")


def _check_references(manifest: Manifest, thing: str) -> None:
    """Every name in the manifest that points at something points at something that is there."""
    files = {listed.path for listed in manifest.files}
    inputs = {tensor.name for tensor in manifest.inputs}
    outputs = {tensor.name for tensor in manifest.outputs}
    wanted = [("model", manifest.model, files)]
    wanted += [("feature for input", feature.input, inputs) for feature in manifest.features]
    if manifest.labels is not None:
        wanted.append(("labels", manifest.labels, files))
    if isinstance(manifest.decoder, ClassifySpec | CtcSpec):
        wanted.append(("decoder output", manifest.decoder.output, outputs))
    for what, name, known in wanted:
        if name not in known:
            problem = f"the manifest's {what} {name!r} is none of {sorted(known)}"
            raise BundleError(thing, problem, "pack the bundle again")
