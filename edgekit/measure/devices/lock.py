"""Fetched files, pinned by digest: recorded when they come, checked whenever they are used."""

import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from edgekit.errors import DeviceError

PATIENCE_S = 900.0
"""Longest wait for another process that builds the same thing."""


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of_tree(folder: Path, names: list[Path]) -> str:
    """One digest of many files: of their names below a folder and their contents."""
    digest = hashlib.sha256()
    for name in sorted(names):
        digest.update(f"{name.as_posix()}\0{sha256_of(folder / name)}\n".encode())
    return digest.hexdigest()


def write_atomically(path: Path, data: bytes) -> None:
    """Write a small file so that it is there whole or not at all."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    partial.write_bytes(data)
    partial.replace(path)


def pin(folder: Path, pattern: str, thing: str) -> dict[str, str]:
    """Digests by name of the files in a folder that match; recorded in its `lock.json`.

    Raises:
        DeviceError: a file is not the one that was recorded, or one is missing or too many.
    """
    lock = folder / "lock.json"
    found = {path.name: sha256_of(path) for path in sorted(folder.glob(pattern))}
    pinned = read_pins(folder)
    if pinned is None:
        write_atomically(lock, msgspec.json.format(msgspec.json.encode(found)) + b"\n")
        return found
    for name in sorted(pinned.keys() | found.keys()):
        if pinned.get(name) != found.get(name):
            problem = (
                f"{name} has sha256 {_short(found.get(name))}, "
                f"{lock} says {_short(pinned.get(name))}"
            )
            raise DeviceError(thing, problem, f"to fetch anew, remove {folder}")
    return found


def read_pins(folder: Path) -> dict[str, str] | None:
    """What `pin` recorded in a folder; None before it did."""
    lock = folder / "lock.json"
    try:
        return msgspec.json.decode(lock.read_bytes(), type=dict[str, str])
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        raise DeviceError(f"{lock}", f"it cannot be read: {error}", f"remove {folder}") from error


@contextmanager
def one_at_a_time(path: Path, thing: str) -> Iterator[None]:
    """Hold a lock file; the system lets go of it when this process ends, however it ends.

    Raises:
        DeviceError: another process holds it for longer than `PATIENCE_S`.
    """
    deadline = time.monotonic() + PATIENCE_S
    with path.open("a") as file:
        while not _try_lock(file.fileno()):
            if time.monotonic() > deadline:
                problem = f"another process has been building it for {PATIENCE_S:g} s"
                raise DeviceError(thing, problem, f"see who holds {path}")
            time.sleep(0.1)
        yield


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _short(digest: str | None) -> str:
    return "none (it is missing)" if digest is None else f"{digest[:12]}…"
