"""Files of a gate: written or appended whole, or not at all."""

import contextlib
import fcntl
import os
from collections.abc import Callable
from pathlib import Path

from edgekit.errors import StorageError


def write_file(path: Path, content: bytes) -> None:
    """Write a report file: all of it or nothing.

    Raises:
        StorageError: the folder cannot be written or the disk is full.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    except OSError as error:
        problem = f"it cannot be written ({error.strerror})"
        raise StorageError(f"report {str(path)!r}", problem, "check folder and space") from error
    finally:
        partial.unlink(missing_ok=True)


def append_file(path: Path, content: Callable[[int, bool], bytes]) -> None:
    """Add to a file that others may add to as well: all of it or nothing.

    Args:
        path: the file; made where there is none.
        content: what to add, given how many bytes there are and whether they end a line.

    Raises:
        OSError: the file cannot be written or the disk is full.
    """
    with path.open("a+b", buffering=0) as file:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX)  # until it is closed: one writer at a time
        before = file.seek(0, os.SEEK_END)
        ends = before == 0 or os.pread(file.fileno(), 1, before - 1) == b"\n"
        added = content(before, ends)
        try:
            while added:
                added = added[file.write(added) :]
        except OSError:
            with contextlib.suppress(OSError):
                file.truncate(before)
            raise
