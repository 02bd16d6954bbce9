"""Kernels of features of a signal that comes in chunks."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit._native._kernels import ffi, lib
from edgekit.kernels.audio import LogMelKernel
from edgekit.kernels.blocks import FLOATS, Blocks, Take, checked_rows, from_buffer
from edgekit.kernels.machine import aligned, check, isa_number

_TAKES: dict[np.dtype[Any], Take] = {
    np.dtype(np.float32): lib.ek_log_mel_port_float32,
    np.dtype(np.int16): lib.ek_log_mel_port_int16,
}


class LogMelStreamKernel(Blocks):
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
        hop = kernel.settings.hop_samples
        super().__init__(_TAKES, kernel.plan, self._pointer, kernel.columns, hop)
        self._plan = kernel.plan
        self._ahead = kernel.settings.frame_samples // hop + 2
        self.restart()

    @property
    def state_bytes(self) -> int:
        """Memory that the stream holds, scratch included."""
        return self._memory.size

    def restart(self) -> None:
        """Forget what came so far."""
        size = self._memory.size
        check(lib.ek_log_mel_stream_start(self._plan, self._isa, self._pointer, size), "stream")

    def flush(self) -> NDArray[np.float32]:
        """The rows that were waiting for more; `restart` must follow."""
        rows = np.empty((self._ahead, self.columns), np.float32)
        out, nothing, kind = from_buffer(FLOATS, rows), ffi.NULL, lib.EK_FLOAT32
        push = lib.ek_log_mel_stream_push
        frames = push(self._plan, self._pointer, nothing, kind, 0, 1, len(rows), out)
        return rows[: checked_rows(frames)]
