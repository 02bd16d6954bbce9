"""Kernels of features of a signal that comes in chunks."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit._native._kernels import ffi, lib
from edgekit.kernels.audio import SAMPLE_TYPES, LogMelKernel, Samples
from edgekit.kernels.blocks import FLOATS, Blocks, checked_rows
from edgekit.kernels.machine import aligned, check, isa_number

from_buffer, stream_push = ffi.from_buffer, lib.ek_log_mel_stream_push


class LogMelStreamKernel(Blocks):
    """The rows of a signal that comes in chunks; state of bounded size, for one thread at a time.

    Args:
        kernel: the transform.
        isa: one of `available_isas()`; None for the best.
    """

    def __init__(self, kernel: LogMelKernel, *, isa: str | None = None) -> None:
        super().__init__(kernel.columns)
        self._kernel = kernel
        self._isa = isa_number(isa)
        self._memory = aligned(lib.ek_log_mel_stream_bytes(kernel.plan, self._isa))
        self._pointer = ffi.cast("ek_log_mel_stream *", ffi.from_buffer(self._memory))
        self._plan, self._hop = kernel.plan, kernel.settings.hop_samples
        self._ahead = kernel.settings.frame_samples // self._hop + 2
        self._chunk: Any = None
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
        count, used = len(samples), self._used
        frames = stream_push(
            self._plan,
            self._pointer,
            self._address,
            SAMPLE_TYPES[samples.dtype],
            count,
            0,
            self._size - used,
            self._start + used * self.columns,
        )
        if frames < 0:  # no room: nothing was taken
            self._renew(count // self._hop + 2)
            frames = checked_rows(self.push_into(samples, self._rows))
            used = 0
        self._used = end = used + frames
        return self._rows[used:end]

    def flush(self) -> NDArray[np.float32]:
        """The rows that were waiting for more; `restart` must follow."""
        self._renew(self._ahead)
        plan, stream, kind = self._plan, self._pointer, lib.EK_FLOAT32
        frames = stream_push(plan, stream, ffi.NULL, kind, 0, 1, self._size, self._start)
        self._used = checked_rows(frames)
        return self._rows[: self._used]

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
