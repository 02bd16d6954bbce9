"""Kernels of features of a signal that comes in chunks."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit._native._kernels import ffi, lib
from edgekit.errors import InternalError
from edgekit.kernels.audio import SAMPLE_TYPES, LogMelKernel, Samples
from edgekit.kernels.blocks import Addresses, Blocks
from edgekit.kernels.machine import aligned, check, isa_number


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
        self._blocks, self._addresses = Blocks(kernel.columns, "float", np.float32), Addresses()
        self._outs = Addresses()
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
        count, blocks = samples.size, self._blocks
        out = blocks.at(count // self._hop + 2)
        frames = lib.ek_log_mel_stream_push(
            self._plan,
            self._pointer,
            self._addresses.of(samples),
            SAMPLE_TYPES[samples.dtype],
            count,
            0,
            blocks.room,
            out,
        )
        return self._checked(blocks, frames)

    def flush(self) -> NDArray[np.float32]:
        """The rows that were waiting for more; `restart` must follow."""
        blocks = self._blocks
        out = blocks.at(self._ahead)
        frames = lib.ek_log_mel_stream_push(
            self._plan, self._pointer, ffi.NULL, lib.EK_FLOAT32, 0, 1, blocks.room, out
        )
        return self._checked(blocks, frames)

    def push_into(self, samples: Samples, out: NDArray[np.float32]) -> int:
        """As `push`, into a contiguous array; the number of rows, negative if there is no room."""
        return int(
            lib.ek_log_mel_stream_push(
                self._plan,
                self._pointer,
                self._addresses.of(samples),
                SAMPLE_TYPES[samples.dtype],
                samples.size,
                0,
                len(out),
                ffi.cast("float *", self._outs.of(out)),
            )
        )

    def _checked(self, blocks: Blocks, frames: int) -> NDArray[np.float32]:
        if frames < 0:
            raise InternalError("stream", f"the kernel returned {frames}", "report this as a bug")
        rows: NDArray[Any] = blocks.rows(frames)
        return rows
