"""Rows that a stream gives, in blocks whose addresses are known: an address costs 0.3 µs to ask."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit._native._kernels import ffi
from edgekit.errors import InternalError

BLOCK_ROWS = 64
FLOATS = ffi.typeof("float[]")


class Blocks:
    """What a stream's kernel is besides: rows go to `_start` + `_used` rows, then are handed out.

    Its attributes are read for every chunk, so they are the kernel's own. Rows that were handed out
    are never written again. A row keeps the block it lies in, which is some kilobytes, as long as
    it lives.

    Args:
        columns: of a row.
    """

    def __init__(self, columns: int) -> None:
        self.columns = columns
        self._renew(BLOCK_ROWS)

    def _renew(self, rows: int) -> None:
        """A new block, of at least `rows` rows."""
        self._used, self._size = 0, max(rows, BLOCK_ROWS)
        self._rows: NDArray[np.float32] = np.empty((self._size, self.columns), np.float32)
        self._start: Any = ffi.cast("float *", ffi.from_buffer(self._rows))


def checked_rows(rows: int) -> int:
    """A number of rows that a kernel returned, where there was room.

    Raises:
        InternalError: it is negative.
    """
    if rows < 0:
        raise InternalError("stream", f"the kernel returned {rows}", "report this as a bug")
    return rows
