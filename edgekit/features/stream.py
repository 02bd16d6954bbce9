"""Features of a signal that comes in chunks."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from edgekit.errors import InputError, UsageError
from edgekit.features.samples import checked
from edgekit.kernels.blocks import from_buffer

_ARRAY = np.ndarray


class StreamKernel(Protocol):
    """What computes the rows: bounded state, no checks."""

    columns: int
    takes: Mapping[np.dtype[Any], Any]
    """For each dtype it takes, what takes its samples to the port; the number of rows."""
    port: Any
    rows: NDArray[np.float32]
    """What lies behind the port."""
    single: NDArray[np.float32]
    """The same one row by one: an index costs less than a slice."""
    used: int
    """Rows of it that were handed out."""

    def push(self, samples: Any, take: Any) -> NDArray[Any]:
        """Rows that these samples make known."""

    def rows_of(self, frames: int, samples: Any, take: Any) -> NDArray[Any]:
        """The rows that were taken to the port, any number; without room, after trying again."""

    def push_into(self, samples: Any, take: Any, out: Any) -> int:
        """The same into an array; their number, negative where there is no room."""

    def flush(self) -> NDArray[Any]:
        """The rows that were waiting for more samples."""

    def restart(self) -> None:
        """Forget what came so far."""

    @property
    def state_bytes(self) -> int:
        """Memory that the stream holds."""


class FeatureStream:
    """Features of a signal that comes in chunks, with the bits of the whole signal's.

    All rows that `push` and then `flush` give, one after the other, are what the features give for
    all samples at once, whatever the chunks. Memory is bounded. A stream has state: one thread at a
    time, and a second one is refused; streams of one feature object are independent, and calls
    release the GIL.
    """

    __slots__ = ("_busy", "_kernel", "_take_of")

    def __init__(self, kernel: StreamKernel) -> None:
        self._kernel = kernel
        self._take_of = kernel.takes.get  # looked up for every chunk
        self._busy = False

    @property
    def state_bytes(self) -> int:
        """Memory that the stream holds, in bytes."""
        return self._kernel.state_bytes

    @property
    def columns(self) -> int:
        """Values in a row."""
        return self._kernel.columns

    def push(
        self, samples: NDArray[Any], out: NDArray[np.float32] | None = None
    ) -> NDArray[np.float32]:
        """Take a chunk, give the rows that it completes.

        Args:
            samples: float32 or int16 of shape (n,), any n, also 0. Chunks may differ in dtype.
            out: float32 of shape (rows, columns), contiguous, that the rows are written to; None
                for new memory.

        Returns:
            float32 of shape (frames, columns), also with no frames; the start of `out` if given.

        Raises:
            InputError: another dtype or shape, or `out` has no room for the rows: the chunk is
                then not taken.
            UsageError: another thread is in a call of this stream.
        """
        take = None
        if type(samples) is _ARRAY and samples.ndim == 1 and out is None:
            take = self._take_of(samples.dtype)
        if take is None:
            return self._push_checked(samples, out)
        if self._busy:
            raise _in_use()
        self._busy = True
        try:  # a call less is a twentieth of a chunk's time: the kernel's rows are handed out here
            kernel = self._kernel
            frames = take(kernel.port, from_buffer(samples), len(samples))
            if frames < 0:
                return kernel.rows_of(frames, samples, take)
            used = kernel.used
            kernel.used = end = used + frames
            return kernel.single[used] if frames == 1 else kernel.rows[used:end]
        except ValueError:  # from_buffer: not contiguous
            return self._kernel.push(np.ascontiguousarray(samples), take)
        finally:
            self._busy = False

    def _push_checked(
        self, samples: NDArray[Any], out: NDArray[np.float32] | None
    ) -> NDArray[np.float32]:
        samples = checked(samples)
        take = self._take_of(samples.dtype)
        if take is None:
            wanted = " or ".join(str(dtype) for dtype in self._kernel.takes)
            raise InputError("samples", f"got {samples.dtype}, expected {wanted}", "convert them")
        self._enter()
        try:
            if out is None:
                return self._kernel.push(samples, take)
            return self._push_into(samples, take, out)
        finally:
            self._busy = False

    def _push_into(
        self, samples: NDArray[Any], take: Any, out: NDArray[Any]
    ) -> NDArray[np.float32]:
        columns = self._kernel.columns
        if (
            not isinstance(out, np.ndarray)
            or out.dtype != np.float32
            or out.ndim != 2
            or out.shape[1] != columns
            or not (out.flags.c_contiguous and out.flags.writeable)
        ):
            found = (
                f"{out.dtype} {out.shape}" if isinstance(out, np.ndarray) else type(out).__name__
            )
            wanted = f"a contiguous float32 array of shape (rows, {columns}) to write to"
            raise InputError("out", f"got {found}, expected {wanted}", "make it with numpy.empty")
        rows = self._kernel.push_into(samples, take, out)
        if rows < 0:
            problem = f"{len(out)} rows are too few for what {samples.size} samples complete"
            raise InputError("out", problem, "give more rows, or smaller chunks")
        return out[:rows]

    def flush(self) -> NDArray[np.float32]:
        """The rows that were waiting for more samples; the stream is new afterwards.

        Frames that need samples beyond the end get what the features put there. Features of
        whole frames only have none left.
        """
        self._enter()
        try:
            rows = self._kernel.flush()
            self._kernel.restart()
            return rows
        finally:
            self._busy = False

    def reset(self) -> None:
        """Forget what came so far."""
        self._enter()
        try:
            self._kernel.restart()
        finally:
            self._busy = False

    def _enter(self) -> None:
        if self._busy:
            raise _in_use()
        self._busy = True


def _in_use() -> UsageError:
    problem, way_out = "another thread is in a call of it", "give each thread its own stream"
    return UsageError("stream", problem, way_out)
