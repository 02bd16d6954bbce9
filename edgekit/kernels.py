"""Arrays in, arrays out: the only importer of the compiled kernels.

Every call releases the GIL and works on memory of its own, so one kernel may be used by many
threads at once. Callers check dtypes and shapes first; `edgekit.features` does.
"""

from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from edgekit._native._kernels import ffi, lib
from edgekit.errors import InternalError, UsageError

Isa = Literal["portable", "sse2", "avx2", "avx512", "neon"]

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


def available_isas() -> tuple[str, ...]:
    """Instruction sets that are compiled in and run here, from `portable` to the best one."""
    return tuple(ffi.string(lib.ek_isa_name(isa)).decode() for isa in range(lib.ek_best_isa() + 1))


def cpu_features() -> tuple[str, ...]:
    """Names of the features that the CPU and the operating system offer: `avx2`, `dotprod`, ..."""
    found = lib.ek_cpu_features()
    names = (name for name in dir(lib) if name.startswith("EK_CPU_"))
    return tuple(name[7:].lower() for name in names if found & getattr(lib, name))


def _isa_number(isa: str | None) -> int:
    if isa is None:
        return int(lib.ek_best_isa())
    available = available_isas()
    if isa not in available:
        raise UsageError(
            f"instruction set {isa!r}", "not available here", f"use one of {', '.join(available)}"
        )
    return available.index(isa)


def _check(status: int, operation: str) -> None:
    if status != lib.EK_OK:
        raise InternalError(operation, f"the kernel returned {status}", "report this as a bug")


def _aligned(size_bytes: int) -> NDArray[np.uint8]:
    """Uninitialized bytes that start where the kernels want plans and scratch to start."""
    memory = np.empty(size_bytes + lib.EK_ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % lib.EK_ALIGNMENT
    return memory[start : start + size_bytes]


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
        self._memory = _aligned(size_bytes)
        plan = ffi.from_buffer(self._memory)
        _check(lib.ek_log_mel_plan_build(config, plan, size_bytes), "log-mel plan")
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
        number = _isa_number(isa)
        out = np.empty((self.frames(samples.size), self.settings.mel_bins), np.float32)
        scratch = _aligned(lib.ek_log_mel_scratch_bytes(self._plan, number))
        status = lib.ek_log_mel(
            self._plan,
            number,
            ffi.from_buffer(samples),
            _SAMPLE_TYPES[samples.dtype],
            samples.size,
            ffi.from_buffer("float[]", out),
            ffi.from_buffer(scratch),
        )
        _check(status, "log-mel")
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
    _check(lib.ek_clamp_range(pointer, values.size, range_, offset, scale), "clamp")


class ImageKernel:
    """Bilinear resize and normalization of 8-bit images into float planes.

    Args:
        height, width: of the result, in pixels.
        source: which source channel fills each of the three planes.
        scale, offset: `plane = pixel * scale + offset`, one per plane.

    Raises:
        UsageError: a size is not in 1 to 32768, or a number is not finite.
    """

    def __init__(
        self,
        height: int,
        width: int,
        source: tuple[int, int, int],
        scale: tuple[float, float, float],
        offset: tuple[float, float, float],
    ) -> None:
        self._config = ffi.new("ek_tensor_config *", (width, height, source, scale, offset))
        self._scratch_bytes = lib.ek_image_scratch_bytes(self._config)
        self.shape = (3, height, width)
        if self._scratch_bytes == 0:
            problem = f"{height} x {width} with scale {scale} and offset {offset} is out of range"
            raise UsageError("image tensor", problem, "use sides of 1 to 32768, finite numbers")

    def __call__(self, image: NDArray[np.uint8], *, isa: str | None = None) -> NDArray[np.float32]:
        """Planes of shape (3, height, width), the same bits with every instruction set.

        Args:
            image: of shape (h, w, 3), sides of 1 to 32768, with any strides.
            isa: one of `available_isas()`; None for the best.
        """
        out = np.empty(self.shape, np.float32)
        scratch = _aligned(self._scratch_bytes)
        pixels = ffi.cast("const uint8_t *", image.ctypes.data)
        source = ffi.new("ek_image *", (pixels, *image.strides, image.shape[1], image.shape[0]))
        status = lib.ek_image_tensor(
            self._config,
            _isa_number(isa),
            source,
            ffi.from_buffer("float[]", out),
            ffi.from_buffer(scratch),
        )
        _check(status, "image tensor")
        return out
