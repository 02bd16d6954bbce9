"""Rows that a stream gives, in blocks whose addresses are known: an address costs 0.3 µs to ask."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit._native._kernels import ffi

BLOCK_ROWS = 64


class Blocks:
    """Room for the rows of a stream: `at` says where to, then `rows` hands them out.

    Rows that were handed out are never written again. A row keeps the block it lies in, which is
    some kilobytes, as long as it lives.

    Args:
        columns: of a row.
        kind: the C type of a value, such as `"float"`.
        dtype: the same for NumPy.
    """

    __slots__ = ("_columns", "_dtype", "_kind", "_memory", "_pointer", "_used", "room")

    def __init__(self, columns: int, kind: str, dtype: type[np.generic]) -> None:
        self._columns = columns
        self._kind = ffi.typeof(f"{kind} *")
        self._dtype = np.dtype(dtype)
        self._used = self.room = 0

    def at(self, rows: int) -> Any:
        """The address of at least `rows` rows; `room` says how many there are."""
        if rows > self.room:
            self.room = max(rows, BLOCK_ROWS)
            self._used = 0
            self._memory: NDArray[Any] = np.empty((self.room, self._columns), self._dtype)
            self._pointer = ffi.cast(self._kind, ffi.from_buffer(self._memory))
        return self._pointer

    def rows(self, count: int) -> NDArray[Any]:
        """The first `count` rows there, which are used up by that."""
        start = self._used
        end = self._used = start + count
        self.room -= count
        self._pointer += count * self._columns
        return self._memory[start:end]


class Addresses:
    """Addresses of arrays, the last of which is remembered: callers use one buffer again."""

    __slots__ = ("_array", "_pointer")

    def __init__(self) -> None:
        self._array: Any = None

    def of(self, array: NDArray[Any]) -> Any:
        """Where a contiguous array starts."""
        if array is not self._array:
            self._pointer = ffi.from_buffer(array)
            self._array = array
        return self._pointer
