"""The file layout of a bundle: a zip of stored entries in one canonical form.

Every byte that is not an entry's content follows from the entries' names, sizes and CRCs, so the
reader rebuilds those bytes and compares: nothing can hide in a header, in padding, between
entries or behind the end. Any zip tool can open the file; only this layout is accepted back.
`docs/bundle-format.md` is the specification.
"""

import os
import re
import stat
import struct
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from edgekit.errors import BundleError

ALIGNMENT_BYTES = 64
"""Of every entry's content: one cache line, and what runtimes ask of mapped weights."""
MAX_FILES = 4096
MAX_BUNDLE_BYTES = 2**31 - 1
PATH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+=-]*(?:/[A-Za-z0-9_][A-Za-z0-9._+=-]*)*", re.ASCII)
MAX_PATH_CHARACTERS = 200

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_EXTRA = struct.Struct("<3H")
_LOCAL_SIGNATURE, _CENTRAL_SIGNATURE, _END_SIGNATURE = b"PK\3\4", b"PK\1\2", b"PK\5\6"
_ALIGNMENT_EXTRA = 0xD935  # the zip extra field that Android's zipalign pads with
_VERSION = 10  # of the zip specification: stored entries need no more
_MADE_BY = 3 << 8 | _VERSION  # Unix
_DATE = 1 << 5 | 1  # 1980-01-01, the earliest a zip can say
_MODE = (stat.S_IFREG | 0o644) << 16
_AGAIN = "download or pack the bundle again"


@dataclass(frozen=True)
class Entry:
    """One file in the container: where its content lies, and what its header says of it."""

    name: str
    size_bytes: int
    crc: int
    header_offset: int

    @property
    def offset(self) -> int:
        """Where the content starts: the first aligned byte after the header."""
        end = self.header_offset + _LOCAL.size + len(self.name) + _EXTRA.size
        return -(-end // ALIGNMENT_BYTES) * ALIGNMENT_BYTES

    @property
    def end(self) -> int:
        """Where the content ends and the next header starts."""
        return self.offset + self.size_bytes

    def local_header(self) -> bytes:
        """The header before the content, padded so that the content is aligned."""
        padding = self.offset - self.header_offset - _LOCAL.size - len(self.name)
        sizes = (self.crc, self.size_bytes, self.size_bytes, len(self.name), padding)
        fixed = _LOCAL.pack(_LOCAL_SIGNATURE, _VERSION, 0, 0, 0, _DATE, *sizes)
        extra = _EXTRA.pack(_ALIGNMENT_EXTRA, padding - 4, ALIGNMENT_BYTES)
        return fixed + self.name.encode() + extra.ljust(padding, b"\0")

    def central_header(self) -> bytes:
        """The header in the directory at the end."""
        sizes = (self.crc, self.size_bytes, self.size_bytes, len(self.name), 0, 0, 0, 0)
        fixed = _CENTRAL.pack(
            _CENTRAL_SIGNATURE, _MADE_BY, _VERSION, 0, 0, 0, _DATE, *sizes, _MODE,
            self.header_offset,
        )  # fmt: skip
        return fixed + self.name.encode()


def write_container(file: BinaryIO, contents: Mapping[str, bytes], thing: str) -> None:
    """Write the entries in the order given: the same contents give the same bytes.

    Raises:
        BundleError: a path or a size that the reader would refuse.
    """
    entries: list[Entry] = []
    for name, content in contents.items():
        _check_name(name, thing)
        entry = Entry(name, len(content), zlib.crc32(content), entries[-1].end if entries else 0)
        _check_sizes(len(entries) + 1, entry.end, thing)
        file.write(entry.local_header())
        file.write(content)
        entries.append(entry)
    file.write(_directory(entries))


def read_container(file: BinaryIO, thing: str) -> tuple[Entry, ...]:
    """The entries of a container, every byte outside their contents checked.

    Raises:
        BundleError: the first refusal of `docs/bundle-format.md` that applies.
    """
    size_bytes = os.fstat(file.fileno()).st_size
    count, directory_offset = _read_end(file, size_bytes, thing)
    file.seek(directory_offset)
    directory = file.read(size_bytes - directory_offset)
    entries = _read_directory(directory, count, directory_offset, thing)
    if _directory(entries) != directory or (entries and entries[-1].end != directory_offset):
        raise BundleError(thing, "its directory is not in the canonical layout", _AGAIN)
    for entry in entries:
        _check_entry(file, entry, thing)
    return entries


def _directory(entries: Iterable[Entry]) -> bytes:
    headers = [entry.central_header() for entry in entries]
    size = sum(map(len, headers))
    offset = max((entry.end for entry in entries), default=0)
    return b"".join(headers) + _END.pack(
        _END_SIGNATURE, 0, 0, len(headers), len(headers), size, offset, 0
    )


def _read_end(file: BinaryIO, size_bytes: int, thing: str) -> tuple[int, int]:
    """(number of entries, offset of the directory)."""
    if size_bytes < _END.size:
        raise BundleError(thing, f"it has {size_bytes} bytes, too few for a bundle", _AGAIN)
    file.seek(size_bytes - _END.size)
    signature, _, _, count, _, _, offset, _ = _END.unpack(file.read(_END.size))
    if signature != _END_SIGNATURE:
        raise BundleError(thing, "it does not end as a bundle does: truncated or no zip", _AGAIN)
    _check_sizes(count, size_bytes, thing)
    if offset > size_bytes - _END.size:
        raise BundleError(
            thing, f"its directory is said to start at {offset}, past the end", _AGAIN
        )
    return count, offset


def _read_directory(
    directory: bytes, count: int, directory_offset: int, thing: str
) -> tuple[Entry, ...]:
    entries: list[Entry] = []
    names: set[str] = set()
    position = 0
    for _ in range(count):
        if position + _CENTRAL.size + _END.size > len(directory):
            raise BundleError(thing, f"its directory ends before entry {len(names)}", _AGAIN)
        fields = _CENTRAL.unpack_from(directory, position)
        length = fields[10]
        raw_name = directory[position + _CENTRAL.size :][:length]
        name = raw_name.decode("ascii", "backslashreplace")
        _check_kind(name, fields, thing)
        _check_name(name, thing)
        if name in names:
            raise BundleError(thing, f"it has two entries named {name!r}", _AGAIN)
        entry = Entry(name, fields[9], fields[7], fields[16])
        _check_place(entry, entries[-1].end if entries else 0, directory_offset, thing)
        names.add(name)
        entries.append(entry)
        position += _CENTRAL.size + length
    return tuple(entries)


def _check_sizes(count: int, size_bytes: int, thing: str) -> None:
    if count > MAX_FILES:
        raise BundleError(thing, f"it has {count} files, at most {MAX_FILES} are read", _AGAIN)
    if size_bytes > MAX_BUNDLE_BYTES:
        problem = f"it has {size_bytes} bytes, at most {MAX_BUNDLE_BYTES} are read"
        raise BundleError(thing, problem, "pack a smaller model")


def _check_name(name: str, thing: str) -> None:
    if len(name) > MAX_PATH_CHARACTERS or not PATH.fullmatch(name):
        raise BundleError(
            thing,
            f"the path {name!r} leaves the bundle or has characters outside A-Z a-z 0-9 . _ + = -",
            "rename the file and pack the bundle again",
        )


def _check_kind(name: str, fields: tuple[int, ...], thing: str) -> None:
    flags, method, compressed, size, mode = (
        fields[3], fields[4], fields[8], fields[9], fields[15] >> 16,
    )  # fmt: skip
    if method != 0 or compressed != size:
        raise BundleError(thing, f"entry {name!r} is compressed", "pack it again with edgekit")
    if flags & 1:
        raise BundleError(thing, f"entry {name!r} is encrypted", "pack it again with edgekit")
    if stat.S_ISLNK(mode):
        raise BundleError(thing, f"entry {name!r} is a link", "pack the file it points to")
    if fields[1] != _MADE_BY:
        problem = f"entry {name!r} was written by another zip tool"
        raise BundleError(thing, problem, "pack it again with edgekit")


def _check_place(entry: Entry, previous_end: int, limit: int, thing: str) -> None:
    if entry.header_offset < previous_end:
        raise BundleError(thing, f"entry {entry.name!r} overlaps the one before it", _AGAIN)
    if entry.header_offset > previous_end:
        gap = entry.header_offset - previous_end
        raise BundleError(thing, f"{gap} bytes before entry {entry.name!r} belong to none", _AGAIN)
    if entry.end > limit:
        raise BundleError(thing, f"entry {entry.name!r} runs past the end", _AGAIN)


def _check_entry(file: BinaryIO, entry: Entry, thing: str) -> None:
    file.seek(entry.header_offset)
    header = file.read(entry.offset - entry.header_offset)
    if header != entry.local_header():
        problem = f"the header of entry {entry.name!r} is not in the canonical layout"
        raise BundleError(thing, problem, _AGAIN)
    crc, left = 0, entry.size_bytes
    while left:
        block = file.read(min(left, 1 << 20))
        if not block:
            raise BundleError(thing, f"entry {entry.name!r} ends early", _AGAIN)
        crc, left = zlib.crc32(block, crc), left - len(block)
    if crc != entry.crc:
        problem = f"entry {entry.name!r} has CRC {crc:08x}, its header says {entry.crc:08x}"
        raise BundleError(thing, problem, _AGAIN)
