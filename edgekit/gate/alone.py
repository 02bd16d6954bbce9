"""One measurement at a time, whichever process of this user wants to measure."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def measuring_alone() -> Iterator[None]:
    """Wait until no other process measures; the system frees the lock of one that ends.

    Where there are no such locks, or the folder for temporary files cannot be written, it does not
    wait: the noise floor of a gate still tells.
    """
    try:
        import fcntl

        path = Path(tempfile.gettempdir()) / f"edgekit-measuring-{os.getuid()}.lock"
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except (ImportError, OSError):
        yield
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)
