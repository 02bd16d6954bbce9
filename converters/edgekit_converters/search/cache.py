"""What a search found out, so that an interrupted one goes on and a repeated one ends at once.

An entry is a file named by the digest of everything that it depends on: model, recipe, data,
versions, target. It starts with the digest of its own content, so that one that was damaged is
noticed and made again. The least recently used go when there are too many.
"""

import hashlib
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

import msgspec

from edgekit.selftest import cache_folder

LIMIT_BYTES = 2 << 30
DIGEST_BYTES = 32
T = TypeVar("T")


class Cache(Protocol):
    """Bytes by key."""

    def get(self, key: str) -> bytes | None:
        """What was kept; None where nothing was, or it was damaged."""
        ...

    def put(self, key: str, content: bytes) -> None:
        """Keep it, where that is possible."""
        ...

    def within(self, name: str) -> "Cache":
        """One of its own, that can be cleared."""
        ...

    def clear(self) -> None:
        """Drop all entries."""
        ...


class NoCache:
    """Keeps nothing."""

    def get(self, key: str) -> bytes | None:
        """Nothing."""

    def put(self, key: str, content: bytes) -> None:
        """Nothing."""

    def within(self, name: str) -> "NoCache":
        """The same."""
        return self

    def clear(self) -> None:
        """Nothing."""


@dataclass(frozen=True)
class FolderCache:
    """Files in a folder.

    Attributes:
        folder: is made where it is missing.
        limit_bytes: of all entries together.
    """

    folder: Path
    limit_bytes: int = LIMIT_BYTES

    def get(self, key: str) -> bytes | None:
        """See `Cache`."""
        path = self._path(key)
        try:
            found = path.read_bytes()
            if hashlib.sha256(found[DIGEST_BYTES:]).digest() != found[:DIGEST_BYTES]:
                path.unlink()
                return None
            os.utime(path)
        except OSError:
            return None
        return found[DIGEST_BYTES:]

    def put(self, key: str, content: bytes) -> None:
        """See `Cache`."""
        path = self._path(key)
        partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(hashlib.sha256(content).digest() + content)
            partial.replace(path)
            self._make_room()
        except OSError:
            with suppress(OSError):
                partial.unlink()

    def within(self, name: str) -> "FolderCache":
        """See `Cache`; its entries count for the limit of this one, too."""
        return FolderCache(self.folder / name, self.limit_bytes)

    def clear(self) -> None:
        """See `Cache`."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / key

    def _make_room(self) -> None:
        """Drop the least recently used; also what a killed process left half-written."""
        entries = [(each.stat(), each) for each in self.folder.rglob("*") if each.is_file()]
        total = sum(stat.st_size for stat, _ in entries)
        for stat, path in sorted(entries, key=lambda entry: entry[0].st_mtime):
            if total <= self.limit_bytes:
                return
            path.unlink(missing_ok=True)
            total -= stat.st_size


def search_cache() -> FolderCache:
    """The one in edgekit's cache folder."""
    return FolderCache(cache_folder() / "search")


def remembered(cache: Cache, key: str, kind: type[T], make: Callable[[], T]) -> T:
    """What was kept under a key, or else what `make` makes, which is kept from then on.

    Args:
        cache: where.
        key: of everything that it depends on.
        kind: of the value: what msgspec encodes.
        make: makes it.
    """
    kept = cache.get(key)
    if kept is not None:
        try:
            return msgspec.msgpack.decode(kept, type=kind)
        except msgspec.DecodeError:
            pass
    made = make()
    cache.put(key, msgspec.msgpack.encode(made))
    return made
