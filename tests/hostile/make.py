"""Write one hostile bundle per refusal of the format: python tests/hostile/make.py

Each is a small valid bundle with one thing wrong. The text beside it must be in the error.
"""

import stat
import struct
import tempfile
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

from edgekit.bundle import write_bundle
from edgekit.container import write_container
from edgekit.manifest import Manifest, RawSpec, Tensor

HERE = Path(__file__).parent
MODEL = b"not a model; the reader of bundles does not look inside"
CENTRAL = b"PK\1\2"
END = b"PK\5\6"


def valid() -> bytes:
    """A bundle of three entries."""
    fields = {
        "schema": 1, "name": "hostile", "version": "1", "target": "host",
        "engine": "onnxruntime", "recipe": "fp32", "model": "model.onnx",
        "inputs": (Tensor("x", "float32", (1,)),), "outputs": (Tensor("y", "float32", (1,)),),
        "decoder": RawSpec(),
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "valid.edgekit"
        write_bundle(path, Manifest(**fields), {"model.onnx": MODEL, "note.txt": b"note"})
        return path.read_bytes()


def central(data: bytes, entry: int) -> int:
    """Offset of an entry's header in the directory."""
    position = -1
    for _ in range(entry + 1):
        position = data.index(CENTRAL, position + 1)
    return position


def patched(data: bytes, offset: int, new: bytes) -> bytes:
    return data[:offset] + new + data[offset + len(new) :]


def in_central(entry: int, field_offset: int, new: bytes) -> bytes:
    data = valid()
    return patched(data, central(data, entry) + field_offset, new)


def renamed(name: bytes) -> bytes:
    """The model's entry is called something else, in both headers and the manifest."""
    assert len(name) == len(b"model.onnx")
    return valid().replace(b"model.onnx", name)


def duplicate() -> bytes:
    """The third entry takes the name of the second, which has as many characters."""
    data = rewritten(lambda contents: {**contents, "model.onny": b"twin"})
    return data.replace(b"model.onny", b"model.onnx")


def rewritten(change: Callable[[dict[str, bytes]], dict[str, bytes]]) -> bytes:
    """The contents changed, CRCs and the layout made right again; the manifest is not."""
    target = BytesIO()
    with zipfile.ZipFile(BytesIO(valid())) as old:
        contents = {name: old.read(name) for name in old.namelist()}
    write_container(target, change(contents), "hostile")
    return target.getvalue()


def by_zipfile(compression: int) -> bytes:
    source, target = BytesIO(valid()), BytesIO()
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", compression) as new:
        for name in old.namelist():
            new.writestr(zipfile.ZipInfo(name), old.read(name), compression)
    return target.getvalue()


def without_last_entry() -> bytes:
    """The directory forgets the last entry, whose content is cut too."""
    data = valid()
    first, last = central(data, 0), central(data, 2)
    start = struct.unpack_from("<L", data, last + 42)[0]
    tail = struct.pack("<4s4H2LH", END, 0, 0, 2, 2, last - first, start, 0)
    return data[:start] + data[first:last] + tail


def with_manifest(change: Callable[[bytes], bytes]) -> bytes:
    return rewritten(lambda old: old | {"manifest.json": change(old["manifest.json"])})


def with_gap() -> bytes:
    """The last header moved by 64 bytes that belong to nobody."""
    data = valid()
    last = central(data, 2)
    start = struct.unpack_from("<L", data, last + 42)[0]
    moved = patched(data, last + 42, struct.pack("<L", start + 64))
    end = moved.index(END)
    offset = struct.unpack_from("<L", moved, end + 16)[0]
    moved = patched(moved, end + 16, struct.pack("<L", offset + 64))
    return moved[:start] + bytes(64) + moved[start:]


LINK = struct.pack("<L", (stat.S_IFLNK | 0o777) << 16)

HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "too few"),
    "truncated": (lambda: valid()[:-1], "truncated"),
    "no-zip": (lambda: MODEL * 4, "truncated or no zip"),
    "trailing-comment": (lambda: valid() + b"x", "truncated"),
    "unknown-schema": (
        lambda: with_manifest(lambda m: m.replace(b'"schema": 1', b'"schema": 2')),
        "schema 2",
    ),
    "unknown-field": (
        lambda: with_manifest(lambda m: m.replace(b'"recipe"', b'"receipt"')),
        "unknown field `receipt`",
    ),
    "duplicate-key": (
        lambda: with_manifest(lambda m: m.replace(b"{", b'{"name": "other",', 1)),
        "key 'name' stands twice",
    ),
    "manifest-not-json": (lambda: with_manifest(lambda m: m[:-3]), "cannot be read"),
    "digest-differs": (lambda: rewritten(lambda old: old | {"model.onnx": MODEL[::-1]}), "sha256"),
    "size-differs": (
        lambda: rewritten(lambda old: old | {"model.onnx": MODEL + b"!"}),
        "manifest says 55",
    ),
    "unlisted-file": (lambda: rewritten(lambda old: old | {"stowaway.so": b"x"}), "does not list"),
    "missing-file": (without_last_entry, "which is not in it"),
    "manifest-not-first": (
        lambda: rewritten(lambda old: dict(reversed(old.items()))),
        "first entry is not manifest.json",
    ),
    "path-leaves": (lambda: renamed(b"../../evil"), "leaves the bundle"),
    "path-absolute": (lambda: renamed(b"/etc/x.sos"), "leaves the bundle"),
    "path-backslash": (lambda: renamed(b"..\\..\\evil"), "leaves the bundle"),
    "duplicate-name": (duplicate, "two entries named"),
    "link": (lambda: in_central(1, 38, LINK), "is a link"),
    "compressed": (lambda: by_zipfile(zipfile.ZIP_DEFLATED), "is compressed"),
    "encrypted": (lambda: in_central(1, 8, b"\1\0"), "is encrypted"),
    "other-zip-tool": (lambda: by_zipfile(zipfile.ZIP_STORED), "another zip tool"),
    "overlapping": (lambda: in_central(2, 42, struct.pack("<L", 0)), "overlaps"),
    "gap": (with_gap, "belong to none"),
    "past-the-end": (
        lambda: patched(in_central(2, 20, b"\0\0\0\1"), central(valid(), 2) + 24, b"\0\0\0\1"),
        "runs past the end",
    ),
    "too-many-files": (
        lambda: patched(valid(), valid().index(END) + 8, struct.pack("<2H", 5000, 5000)),
        "5000 files",
    ),
    "directory-past-the-end": (
        lambda: patched(valid(), valid().index(END) + 16, b"\xff\xff\xff\x7f"),
        "past the end",
    ),
    "short-directory": (
        lambda: patched(valid(), valid().index(END) + 8, struct.pack("<2H", 9, 9)),
        "its directory ends",
    ),
    "crc-differs": (lambda: in_central(1, 16, b"\0\0\0\0"), "canonical layout"),
    "date-in-header": (lambda: patched(valid(), 10, b"\1\1"), "canonical layout"),
    "unknown-model": (
        lambda: with_manifest(lambda m: m.replace(b'"model": "model.onnx"', b'"model": "x.onnx"')),
        "model 'x.onnx'",
    ),
}


def main() -> None:
    for name, (make, _) in HOSTILE.items():
        (HERE / f"{name}.edgekit").write_bytes(make())


if __name__ == "__main__":
    main()
