"""Log-mel energies of mono audio."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.errors import InputError, UsageError
from edgekit.kernels import LogMelKernel, LogMelSettings, clamp_range
from edgekit.manifest import LogMelSpec

WHISPER_RATE_HZ = 16_000
MIN_RATE_HZ, MAX_RATE_HZ = 1_000, 1_000_000
KALDI_FLOOR = float(np.finfo(np.float32).eps)
WHISPER_FLOOR = 1e-10
PRESETS_LOW_HZ = {"kaldi": 20.0, "whisper": 0.0}


class LogMel:
    """Log-mel energies: `LogMel.kaldi()(samples)` gives float32 of shape (frames, bins).

    Samples are float32, taken as they are, or int16, taken as values from -32768 to 32767; both are
    multiplied by `input_scale` and nothing is guessed from the data. Models trained with Kaldi
    mostly expect the int16 range: give them int16, or float32 in -1..1 with `input_scale=32768`.
    Whisper expects -1..1: give it float32, or int16 with `input_scale=1 / 32768`.

    Instances are immutable. The result has the same bits on every CPU and in every thread.

    Args:
        spec: the transform, as in a manifest.

    Raises:
        UsageError: the numbers in `spec` do not go together.
    """

    __slots__ = ("_kernel", "_spec")

    def __init__(self, spec: LogMelSpec) -> None:
        _check(spec)
        self._spec = spec
        self._kernel = LogMelKernel(_settings(spec))

    @classmethod
    def kaldi(
        cls,
        num_mel_bins: int = 80,
        sample_rate_hz: int = 16_000,
        low_hz: float = 20.0,
        high_hz: float | None = None,
        *,
        input_scale: float = 1.0,
    ) -> "LogMel":
        """Kaldi's `compute-fbank-feats` with its defaults and no dither.

        Frames of 25 ms every 10 ms, whole frames only; mean removed, pre-emphasis 0.97, povey
        window, power spectrum, natural logarithm, energies of at least 1.19e-7.

        Args:
            num_mel_bins: 1 to 256.
            sample_rate_hz: 1,000 to 1,000,000.
            low_hz: lower edge of the first bin.
            high_hz: upper edge of the last bin; None for half the sample rate.
            input_scale: multiplies every sample.
        """
        high_hz = sample_rate_hz / 2 if high_hz is None else high_hz
        return cls(LogMelSpec("kaldi", sample_rate_hz, num_mel_bins, low_hz, high_hz, input_scale))

    @classmethod
    def whisper(cls, num_mel_bins: int = 80, *, input_scale: float = 1.0) -> "LogMel":
        """What openai-whisper computes from audio at 16 kHz, as (frames, bins), without padding.

        Frames of 400 samples centred on every 160th one, reflected ends, Hann window, Slaney mel
        from 0 to 8,000 Hz, log10 of at least 1e-10, at most 8 below the largest value of the whole
        input, then (x + 4) / 4. To pad to 30 s, append zeros to the samples.

        Args:
            num_mel_bins: 80, or 128 for large-v3.
            input_scale: multiplies every sample.
        """
        rate_hz = WHISPER_RATE_HZ
        return cls(LogMelSpec("whisper", rate_hz, num_mel_bins, 0.0, rate_hz / 2, input_scale))

    @property
    def spec(self) -> LogMelSpec:
        """The transform, for a manifest."""
        return self._spec

    @property
    def settings(self) -> LogMelSettings:
        """The preset spelled out: samples per frame, window, mel scale and the rest."""
        return self._kernel.settings

    def __call__(self, samples: NDArray[Any]) -> NDArray[np.float32]:
        """Log-mel energies.

        Args:
            samples: float32 or int16 of shape (n,), with at least one frame: 25 ms for kaldi, 201
                samples for whisper. Not contiguous ones are copied.

        Returns:
            float32 of shape (frames, num_mel_bins). A sample that is NaN or infinite makes NaN of
            the frames it lies in (kaldi) or of everything (whisper).

        Raises:
            InputError: another dtype or shape, or too few samples.
        """
        samples = _checked(samples)
        if self._kernel.frames(samples.size) == 0:
            raise InputError(
                "samples",
                f"{samples.size} values at {self._spec.sample_rate_hz} Hz hold no whole frame, "
                f"{self._least_samples()} are the least",
                "give more audio, or pad with zeros",
            )
        energies = self._kernel(samples)
        if self._spec.preset == "whisper":
            clamp_range(energies, 8.0, 4.0, 0.25)
        return energies

    def _least_samples(self) -> int:
        settings = self._kernel.settings
        whole = settings.framing == "whole"
        return settings.frame_samples if whole else settings.fft_samples // 2 + 1

    def __repr__(self) -> str:
        return f"LogMel({self._spec!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LogMel) and self._spec == other._spec

    def __hash__(self) -> int:
        return hash(self._spec)

    def __reduce__(self) -> tuple[type["LogMel"], tuple[LogMelSpec]]:
        return type(self), (self._spec,)


def _checked(samples: NDArray[Any]) -> NDArray[Any]:
    """Contiguous samples, or an error that says what was wrong."""
    expected = "expected a NumPy array of float32 or int16 with shape (n,)"
    if not isinstance(samples, np.ndarray):
        raise InputError("samples", f"got {type(samples).__name__}, {expected}", "convert it")
    found = f"got {samples.dtype} with shape {samples.shape}, {expected}"
    if samples.ndim != 1:
        raise InputError("samples", found, "give one channel, as samples[:, 0] or the mean of both")
    if samples.dtype not in (np.float32, np.int16) or not samples.dtype.isnative:
        raise InputError(
            "samples", found, "convert with samples.astype('float32') and say the scale"
        )
    return np.ascontiguousarray(samples)


def _check(spec: LogMelSpec) -> None:
    if spec.preset not in PRESETS_LOW_HZ:
        raise UsageError("log-mel features", f"preset={spec.preset!r}", "use 'kaldi' or 'whisper'")
    low_hz, high_hz = _band_hz(spec)
    rate_hz = spec.sample_rate_hz
    if spec.preset == "whisper" and rate_hz != WHISPER_RATE_HZ:
        problem, way_out = (
            f"sample_rate_hz={rate_hz}",
            "the whisper preset is for 16000 Hz: resample",
        )
    elif not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
        problem, way_out = f"sample_rate_hz={rate_hz}", f"use {MIN_RATE_HZ} to {MAX_RATE_HZ}"
    elif not 1 <= spec.num_mel_bins <= 256:
        problem, way_out = f"num_mel_bins={spec.num_mel_bins}", "use 1 to 256"
    elif not 0 <= low_hz < high_hz <= rate_hz / 2:
        problem = f"a band from {low_hz:g} to {high_hz:g} Hz at sample_rate_hz={rate_hz}"
        way_out = f"use 0 <= low_hz < high_hz <= {rate_hz / 2:g}"
    elif not (math.isfinite(spec.input_scale) and 1e-30 <= spec.input_scale <= 1e30):
        problem, way_out = f"input_scale={spec.input_scale}", "use a number > 0, such as 32768"
    else:
        return
    raise UsageError(f"log-mel features, preset {spec.preset!r}", problem, way_out)


def _band_hz(spec: LogMelSpec) -> tuple[float, float]:
    low_hz = PRESETS_LOW_HZ[spec.preset] if spec.low_hz is None else spec.low_hz
    return low_hz, spec.sample_rate_hz / 2 if spec.high_hz is None else spec.high_hz


def _settings(spec: LogMelSpec) -> LogMelSettings:
    low_hz, high_hz = _band_hz(spec)
    kaldi = spec.preset == "kaldi"
    frame_samples = spec.sample_rate_hz * 25 // 1000
    return LogMelSettings(
        sample_rate_hz=spec.sample_rate_hz,
        frame_samples=frame_samples,
        hop_samples=spec.sample_rate_hz * 10 // 1000,
        fft_samples=1 << (frame_samples - 1).bit_length() if kaldi else frame_samples,
        mel_bins=spec.num_mel_bins,
        window="povey" if kaldi else "hann_periodic",
        mel_scale="kaldi" if kaldi else "slaney",
        framing="whole" if kaldi else "centred",
        logarithm="natural" if kaldi else "log10",
        remove_dc=kaldi,
        preemphasis=0.97 if kaldi else 0.0,
        input_scale=spec.input_scale,
        floor=KALDI_FLOOR if kaldi else WHISPER_FLOOR,
        low_hz=low_hz,
        high_hz=high_hz,
    )
