"""Kernel of TFLite-micro's fixed-point front end."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit._native._kernels import ffi, lib
from edgekit.errors import UsageError
from edgekit.kernels.blocks import Blocks, Take
from edgekit.kernels.machine import aligned, check, isa_number

_TAKES: dict[np.dtype[Any], Take] = {np.dtype(np.int16): lib.ek_micro_port_int16}


@dataclass(frozen=True, slots=True, kw_only=True)
class MicroSettings:
    """The fields of `ek_micro_config`."""

    sample_rate_hz: int
    window_samples: int
    hop_samples: int
    channels: int
    smoothing_bits: int
    pcan: bool
    gain_bits: int
    log: bool
    log_shift: int
    low_hz: float
    high_hz: float
    even_smoothing: float
    odd_smoothing: float
    min_signal_remaining: float
    pcan_strength: float
    pcan_offset: float
    output_scale: float


class MicroKernel:
    """Tables, built once.

    Args:
        settings: the front end.

    Raises:
        UsageError: the settings are out of range.
    """

    def __init__(self, settings: MicroSettings) -> None:
        config = ffi.new("ek_micro_config *", asdict(settings))
        size_bytes = lib.ek_micro_plan_bytes(config)
        if size_bytes == 0:
            raise UsageError("micro front end", f"{settings} is out of range", "check the numbers")
        self._memory = aligned(size_bytes)
        plan = ffi.from_buffer(self._memory)
        check(lib.ek_micro_plan_build(config, plan, size_bytes), "micro plan")
        self._memory.flags.writeable = False
        self.plan = ffi.cast("const ek_micro_plan *", plan)
        self.settings = settings

    def frames(self, sample_count: int) -> int:
        """Windows that lie in so many samples."""
        settings = self.settings
        return max(0, (sample_count - settings.window_samples) // settings.hop_samples + 1)


class MicroStreamKernel(Blocks):
    """The rows of a signal that comes in chunks; state of bounded size, for one thread at a time.

    Args:
        kernel: the tables.
        isa: one of `available_isas()`; None for the best.
    """

    def __init__(self, kernel: MicroKernel, *, isa: str | None = None) -> None:
        self._kernel = kernel
        self._isa = isa_number(isa)
        self._memory = aligned(lib.ek_micro_stream_bytes(kernel.plan))
        self._pointer = ffi.cast("ek_micro_stream *", ffi.from_buffer(self._memory))
        settings = kernel.settings
        super().__init__(
            _TAKES, kernel.plan, self._pointer, settings.channels, settings.hop_samples
        )
        self._plan = kernel.plan
        self.restart()

    @property
    def state_bytes(self) -> int:
        """Memory that the stream holds, scratch included."""
        return self._memory.size

    def restart(self) -> None:
        """Forget what came so far, noise estimates too."""
        size = self._memory.size
        check(lib.ek_micro_stream_start(self._plan, self._isa, self._pointer, size), "stream")

    def flush(self) -> NDArray[np.float32]:
        """No rows: a window is known as soon as its samples are."""
        return np.empty((0, self.columns), np.float32)
