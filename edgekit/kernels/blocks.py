"""Rows that a stream gives, in blocks whose addresses are known: an address costs 0.3 µs to ask."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit._native._kernels import ffi
from edgekit.errors import InternalError

BLOCK_ROWS = 64
FLOATS = ffi.typeof("float[]")


class Blocks:
    """Room for the rows of a stream: they are written to `pointer`, then `rows` hands them out.

    Rows that were handed out are never written again. A row keeps the block it lies in, which is
    some kilobytes, as long as it lives.

    Args:
        columns: of a row.
    """

    __slots__ = ("_columns", "_memory", "_used", "pointer", "room")

    def __init__(self, columns: int) -> None:
        self._columns = columns
        self.renew(BLOCK_ROWS)

    def renew(self, rows: int) -> None:
        """A new block, of at least `rows` rows."""
        self._used, self.room = 0, max(rows, BLOCK_ROWS)
        self._memory: NDArray[np.float32] = np.empty((self.room, self._columns), np.float32)
        self.pointer: Any = ffi.cast("float *", ffi.from_buffer(self._memory))

    def rows(self, count: int) -> NDArray[np.float32]:
        """The first `count` rows there, which are used up by that."""
        start = self._used
        self._used = end = start + count
        if count:
            self.room -= count
            self.pointer += count * self._columns
        return self._memory[start:end]


def checked_rows(rows: int) -> int:
    """A number of rows that a kernel returned, where there was room.

    Raises:
        InternalError: it is negative.
    """
    if rows < 0:
        raise InternalError("stream", f"the kernel returned {rows}", "report this as a bug")
    return rows
