"""Kernels of features of a signal that comes in chunks."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit._native._kernels import ffi, lib
from edgekit.kernels.audio import SAMPLE_TYPES, LogMelKernel, Samples
from edgekit.kernels.blocks import FLOATS, Blocks, checked_rows
from edgekit.kernels.machine import aligned, check, isa_number

from_buffer, stream_push = ffi.from_buffer, lib.ek_log_mel_stream_push


class LogMelStreamKernel:
    """The rows of a signal that comes in chunks; state of bounded size, for one thread at a time.

    Args:
        kernel: the transform.
        isa: one of `available_isas()`; None for the best.
    """

    def __init__(self, kernel: LogMelKernel, *, isa: str | None = None) -> None:
        self._kernel = kernel
        self._isa = isa_number(isa)
        self._memory = aligned(lib.ek_log_mel_stream_bytes(kernel.plan, self._isa))
        self._pointer = ffi.cast("ek_log_mel_stream *", ffi.from_buffer(self._memory))
        self._plan, self._hop = kernel.plan, kernel.settings.hop_samples
        self._ahead = kernel.settings.frame_samples // self._hop + 2
        self._blocks = Blocks(kernel.columns)
        self._chunk: Any = None
        self.columns = kernel.columns
        self.restart()

    @property
    def state_bytes(self) -> int:
        """Memory that the stream holds, scratch included."""
        return self._memory.size

    def restart(self) -> None:
        """Forget what came so far."""
        size = self._memory.size
        check(lib.ek_log_mel_stream_start(self._plan, self._isa, self._pointer, size), "stream")

    def push(self, samples: Samples) -> NDArray[np.float32]:
        """Rows of shape (frames, columns) that these samples make known.

        Args:
            samples: of shape (n,), contiguous, native float32 or int16.
        """
        if samples is not self._chunk:  # callers may fill one buffer again and again
            self._address, self._chunk = from_buffer(samples), samples
        plan, stream, address = self._plan, self._pointer, self._address
        kind, count, blocks = SAMPLE_TYPES[samples.dtype], len(samples), self._blocks
        frames = stream_push(plan, stream, address, kind, count, 0, blocks.room, blocks.pointer)
        if frames < 0:  # no room: nothing was taken
            blocks.renew(count // self._hop + 2)
            frames = stream_push(plan, stream, address, kind, count, 0, blocks.room, blocks.pointer)
            checked_rows(frames)
        return blocks.rows(frames)

    def flush(self) -> NDArray[np.float32]:
        """The rows that were waiting for more; `restart` must follow."""
        blocks = self._blocks
        if blocks.room < self._ahead:
            blocks.renew(self._ahead)
        frames = stream_push(
            self._plan, self._pointer, ffi.NULL, lib.EK_FLOAT32, 0, 1, blocks.room, blocks.pointer
        )
        return blocks.rows(checked_rows(frames))

    def push_into(self, samples: Samples, out: NDArray[np.float32]) -> int:
        """As `push`, into a contiguous array; the number of rows, negative if there is no room."""
        frames = stream_push(
            self._plan,
            self._pointer,
            from_buffer(samples),
            SAMPLE_TYPES[samples.dtype],
            len(samples),
            0,
            len(out),
            from_buffer(FLOATS, out),
        )
        return int(frames)
