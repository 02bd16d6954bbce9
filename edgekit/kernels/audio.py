"""Kernels of audio features."""

from dataclasses import dataclass, fields
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from edgekit._native._kernels import ffi, lib
from edgekit.errors import UsageError
from edgekit.kernels.machine import Scratch, aligned, check, isa_number

_CHOICES: dict[str, dict[str, int]] = {
    "window": {
        "povey": lib.EK_WINDOW_POVEY,
        "hann": lib.EK_WINDOW_HANN,
        "hann_periodic": lib.EK_WINDOW_HANN_PERIODIC,
        "hamming": lib.EK_WINDOW_HAMMING,
        "hamming_periodic": lib.EK_WINDOW_HAMMING_PERIODIC,
        "rectangular": lib.EK_WINDOW_RECTANGULAR,
    },
    "mel_scale": {"kaldi": lib.EK_MEL_KALDI, "slaney": lib.EK_MEL_SLANEY, "htk": lib.EK_MEL_HTK},
    "framing": {
        "whole": lib.EK_FRAMES_WHOLE,
        "centred": lib.EK_FRAMES_CENTRED,
        "centred_but_last": lib.EK_FRAMES_CENTRED_BUT_LAST,
        "hops": lib.EK_FRAMES_HOPS,
    },
    "padding": {
        "reflect": lib.EK_PAD_REFLECT,
        "symmetric": lib.EK_PAD_SYMMETRIC,
        "zero": lib.EK_PAD_ZERO,
        "edge": lib.EK_PAD_EDGE,
    },
    "logarithm": {
        "natural": lib.EK_LOG_NATURAL,
        "log10": lib.EK_LOG_10,
        "db": lib.EK_LOG_DB,
        "none": lib.EK_LOG_NONE,
    },
}
SAMPLE_TYPES = {np.dtype(np.float32): lib.EK_FLOAT32, np.dtype(np.int16): lib.EK_INT16}
Samples: TypeAlias = NDArray[np.float32] | NDArray[np.int16]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogMelSettings:
    """Everything a log-mel kernel depends on; the fields of `ek_log_mel_config`."""

    sample_rate_hz: int
    frame_samples: int
    hop_samples: int
    fft_samples: int
    mel_bins: int
    window_samples: int
    window: Literal["povey", "hann", "hann_periodic", "hamming", "hamming_periodic", "rectangular"]
    mel_scale: Literal["kaldi", "slaney", "htk"]
    framing: Literal["whole", "centred", "centred_but_last", "hops"]
    logarithm: Literal["natural", "log10", "db", "none"]
    remove_dc: bool
    preemphasis: float
    input_scale: float
    floor: float
    low_hz: float
    high_hz: float
    padding: Literal["reflect", "symmetric", "zero", "edge"] = "reflect"
    mel_area: bool = False
    magnitude: bool = False
    energy: bool = False
    cepstra: int = 0
    lifter_from: int = 0
    lifter: float = 0.0
    dither: float = 0.0
    dither_seed: int = 0


def _log_mel_config(settings: LogMelSettings) -> Any:
    config = ffi.new("ek_log_mel_config *")
    for field in fields(settings):
        value = getattr(settings, field.name)
        setattr(config, field.name, _CHOICES.get(field.name, {}).get(value, value))
    return config


class LogMelKernel:
    """Log-mel energies, or their cepstra, with the tables built once.

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
        self.plan = ffi.cast("const ek_log_mel_plan *", plan)
        self.columns = int(lib.ek_log_mel_columns(self.plan))
        self.settings = settings
        self._scratch: dict[int, Scratch] = {}

    def frames(self, sample_count: int) -> int:
        """Frames that `sample_count` samples give; 0 when they do not suffice for one."""
        return int(lib.ek_log_mel_frames(self.plan, sample_count))

    def __call__(
        self,
        samples: Samples,
        out: NDArray[np.float32] | None = None,
        *,
        isa: str | None = None,
    ) -> NDArray[np.float32]:
        """Rows of shape (frames, columns), the same bits with every instruction set.

        Args:
            samples: of shape (n,), contiguous, native float32 or int16.
            out: contiguous float32 of that shape; None for a new one.
            isa: one of `available_isas()`; None for the best.
        """
        number = isa_number(isa)
        if out is None:
            out = np.empty((self.frames(samples.size), self.columns), np.float32)
        scratch = self._scratch.get(number) or self._scratch_for(number)
        memory = scratch.take()
        status = lib.ek_log_mel(
            self.plan,
            number,
            ffi.from_buffer(samples),
            SAMPLE_TYPES[samples.dtype],
            samples.size,
            ffi.from_buffer("float[]", out),
            memory,
        )
        scratch.give_back(memory)
        check(status, "log-mel")
        return out

    def _scratch_for(self, number: int) -> Scratch:
        size_bytes = lib.ek_log_mel_scratch_bytes(self.plan, number)
        return self._scratch.setdefault(number, Scratch(size_bytes))


def cepstra(
    kernel: LogMelKernel,
    levels: NDArray[np.float32],
    out: NDArray[np.float32],
    *,
    isa: str | None = None,
) -> None:
    """The cepstra of levels that were changed after they were computed.

    Args:
        kernel: with `cepstra` in its settings.
        levels: contiguous float32 of shape (rows, mel_bins).
        out: contiguous float32 of shape (rows, cepstra), to be filled.
        isa: one of `available_isas()`; None for the best.
    """
    source, target = ffi.from_buffer("float[]", levels), ffi.from_buffer("float[]", out)
    status = lib.ek_log_mel_cepstra(kernel.plan, isa_number(isa), source, len(levels), target)
    check(status, "cepstra")


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
