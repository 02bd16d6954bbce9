"""Kernels of audio features."""

from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from edgekit._native._kernels import ffi, lib
from edgekit.errors import UsageError
from edgekit.kernels.machine import aligned, check, isa_number

_CHOICES: dict[str, dict[str, int]] = {
    "window": {
        "povey": lib.EK_WINDOW_POVEY,
        "hann_periodic": lib.EK_WINDOW_HANN_PERIODIC,
    },
    "mel_scale": {"kaldi": lib.EK_MEL_KALDI, "slaney": lib.EK_MEL_SLANEY},
    "framing": {"whole": lib.EK_FRAMES_WHOLE, "centred": lib.EK_FRAMES_CENTRED},
    "logarithm": {"natural": lib.EK_LOG_NATURAL, "log10": lib.EK_LOG_10},
}
_SAMPLE_TYPES = {np.dtype(np.float32): lib.EK_FLOAT32, np.dtype(np.int16): lib.EK_INT16}


@dataclass(frozen=True, slots=True, kw_only=True)
class LogMelSettings:
    """Everything a log-mel kernel depends on; the fields of `ek_log_mel_config`."""

    sample_rate_hz: int
    frame_samples: int
    hop_samples: int
    fft_samples: int
    mel_bins: int
    window: Literal["povey", "hann_periodic"]
    mel_scale: Literal["kaldi", "slaney"]
    framing: Literal["whole", "centred"]
    logarithm: Literal["natural", "log10"]
    remove_dc: bool
    preemphasis: float
    input_scale: float
    floor: float
    low_hz: float
    high_hz: float


def _log_mel_config(settings: LogMelSettings) -> Any:
    config = ffi.new("ek_log_mel_config *")
    for field in fields(settings):
        value = getattr(settings, field.name)
        setattr(config, field.name, _CHOICES.get(field.name, {}).get(value, value))
    return config


class LogMelKernel:
    """Log-mel energies with the tables built once.

    Args:
        settings: the transform.

    Raises:
        UsageError: the settings have no log-mel transform, such as an odd `fft_samples`.
    """

    def __init__(self, settings: LogMelSettings) -> None:
        config = _log_mel_config(settings)
        size_bytes = lib.ek_log_mel_plan_bytes(config)
        if size_bytes == 0:
            raise UsageError("log-mel", f"{settings} cannot be computed", "check the ranges")
        self._memory = aligned(size_bytes)
        plan = ffi.from_buffer(self._memory)
        check(lib.ek_log_mel_plan_build(config, plan, size_bytes), "log-mel plan")
        self._memory.flags.writeable = False
        self._plan = ffi.cast("const ek_log_mel_plan *", plan)
        self.settings = settings

    def frames(self, sample_count: int) -> int:
        """Frames that `sample_count` samples give; 0 when they do not suffice for one."""
        return int(lib.ek_log_mel_frames(self._plan, sample_count))

    def __call__(
        self, samples: NDArray[np.float32] | NDArray[np.int16], *, isa: str | None = None
    ) -> NDArray[np.float32]:
        """Energies of shape (frames, mel_bins), the same bits with every instruction set.

        Args:
            samples: of shape (n,), contiguous, native float32 or int16.
            isa: one of `available_isas()`; None for the best.
        """
        number = isa_number(isa)
        out = np.empty((self.frames(samples.size), self.settings.mel_bins), np.float32)
        scratch = aligned(lib.ek_log_mel_scratch_bytes(self._plan, number))
        status = lib.ek_log_mel(
            self._plan,
            number,
            ffi.from_buffer(samples),
            _SAMPLE_TYPES[samples.dtype],
            samples.size,
            ffi.from_buffer("float[]", out),
            ffi.from_buffer(scratch),
        )
        check(status, "log-mel")
        return out


def clamp_range(values: NDArray[np.float32], range_: float, offset: float, scale: float) -> None:
    """In place: `(max(value, values.max() - range_) + offset) * scale`. One NaN makes all NaN.

    Args:
        values: contiguous float32 of any shape.
        range_: how far below the largest value the others may lie.
        offset: added after the clamp.
        scale: multiplies the sum.
    """
    pointer = ffi.from_buffer("float[]", values)
    check(lib.ek_clamp_range(pointer, values.size, range_, offset, scale), "clamp")
