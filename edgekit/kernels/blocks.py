"""Chunks to a stream's kernel, and the rows that it gives; what every chunk needs is asked once."""

from collections.abc import Callable, Mapping
from sys import getrefcount
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from edgekit._native._kernels import ffi
from edgekit.errors import InternalError

BLOCK_ROWS = 64
FLOATS = ffi.typeof("float[]")
from_buffer = ffi.from_buffer

Take: TypeAlias = Callable[[Any, Any, int], int]
"""Of the kernel, for one dtype: port, samples and their number to the number of rows."""


class Blocks:
    """What a stream's kernel is besides.

    Rows go to blocks whose address is known: to ask for one costs as much as a quarter of a frame.
    They are handed out, and not written again while anybody holds one: a row keeps the block it
    lies in, which is some kilobytes, as long as it lives, and a block of which no row lives is
    begun anew. `rows[used:]` are the next rows, and `single[used]` is one, of shape (1, columns).

    Args:
        takes: what takes the samples of each dtype.
        plan: of the kernel, as a pointer.
        stream: its state, as a pointer.
        columns: of a row.
        hop: samples from row to row.
    """

    def __init__(
        self, takes: Mapping[np.dtype[Any], Take], plan: Any, stream: Any, columns: int, hop: int
    ) -> None:
        self.takes = takes
        self.columns = columns
        self._hop = hop
        self._size, self._own_references, self._start = 0, 0, ffi.NULL
        self.rows = np.empty((0, columns), np.float32)
        self.port = ffi.new("ek_port *", {"plan": plan, "stream": stream})
        self._renew(BLOCK_ROWS)

    def _renew(self, rows: int) -> None:
        """A block with room for `rows` rows: this one if nobody holds a row of it, or a new one."""
        port = self.port
        self.used = 0
        fits = rows <= self._size <= max(BLOCK_ROWS, 2 * rows)
        if fits and getrefcount(self.rows) == self._own_references:
            port.room, port.out = self._size, self._start
            return
        self._size = rows if rows > BLOCK_ROWS else BLOCK_ROWS
        self.rows = np.empty((self._size, self.columns), np.float32)
        self.single = self.rows.reshape(self._size, 1, self.columns)
        self._start = ffi.cast("float *", from_buffer(FLOATS, self.rows))
        port.room, port.out = self._size, self._start
        self._own_references = getrefcount(self.rows)

    def push(self, samples: NDArray[Any], take: Take) -> NDArray[np.float32]:
        """Rows of shape (frames, columns) that these samples make known.

        Args:
            samples: of shape (n,), contiguous.
            take: of `takes`, for their dtype.
        """
        return self.rows_of(take(self.port, from_buffer(samples), len(samples)), samples, take)

    def rows_of(self, frames: int, samples: NDArray[Any], take: Take) -> NDArray[np.float32]:
        """What `take` has put to the port: rows of shape (frames, columns).

        Args:
            frames: what it returned; where that is negative there was no room, and it is called
                again.
            samples: that it was called with, as in `push`.
            take: of `takes`, for their dtype.
        """
        if frames < 0:
            self._renew(len(samples) // self._hop + 2)
            frames = checked_rows(take(self.port, from_buffer(samples), len(samples)))
        used = self.used
        self.used = end = used + frames
        return self.rows[used:end]

    def push_into(self, samples: NDArray[Any], take: Take, out: NDArray[np.float32]) -> int:
        """Rows into a contiguous array; their number, negative where there is no room."""
        port = self.port
        mine = port.room, port.out
        port.room, port.out = len(out), from_buffer(FLOATS, out)
        try:
            return int(take(port, from_buffer(samples), len(samples)))
        finally:
            port.room, port.out = mine


def checked_rows(rows: int) -> int:
    """A number of rows that a kernel returned, where there was room.

    Raises:
        InternalError: it is negative.
    """
    if rows < 0:
        raise InternalError("stream", f"the kernel returned {rows}", "report this as a bug")
    return rows
