"""Log-mel energies of mono audio."""

from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from edgekit.errors import InputError, UsageError
from edgekit.features.presets import WHISPER_RATE_HZ, LogMelOptions, level_range, settings_of
from edgekit.features.samples import checked, checked_out
from edgekit.features.stream import FeatureStream
from edgekit.kernels import LogMelKernel, LogMelSettings, LogMelStreamKernel, clamp_range
from edgekit.manifest import LogMelSpec


class LogMel:
    """Log-mel energies: `LogMel.kaldi()(samples)` gives float32 of shape (frames, bins).

    Samples are float32, taken as they are, or int16, taken as values from -32768 to 32767; both are
    multiplied by `input_scale` and nothing is guessed from the data. Models trained with Kaldi
    mostly expect the int16 range: give them int16, or float32 in -1..1 with `input_scale=32768`.
    Whisper and librosa expect -1..1: give them float32, or int16 with `input_scale=1 / 32768`.

    Instances are immutable and may be shared by threads. The result has the same bits on every CPU,
    in every thread, for a batch or one by one, and from `stream()` in every chunking.

    Args:
        spec: the transform, as in a manifest.

    Raises:
        UsageError: the numbers in `spec` do not go together.
    """

    __slots__ = ("_kernel", "_range", "_spec")

    def __init__(self, spec: LogMelSpec) -> None:
        self._kernel = LogMelKernel(settings_of(spec))
        self._range = level_range(spec)
        self._spec = spec

    @classmethod
    def kaldi(
        cls,
        num_mel_bins: int = 80,
        sample_rate_hz: int = 16_000,
        low_hz: float = 20.0,
        high_hz: float | None = None,
        *,
        input_scale: float = 1.0,
        **options: Unpack[LogMelOptions],
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
            **options: what differs from that; `framing="hops"` is Kaldi's `--snip-edges=false`,
                `energy=True` its `--use-energy`, `spectrum="magnitude"` its `--use-power=false`.
        """
        head = (sample_rate_hz, num_mel_bins, low_hz, high_hz, input_scale)
        return cls(LogMelSpec("kaldi", *head, **options))

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

    @classmethod
    def librosa(
        cls,
        num_mel_bins: int = 128,
        sample_rate_hz: int = 22_050,
        low_hz: float = 0.0,
        high_hz: float | None = None,
        *,
        input_scale: float = 1.0,
        **options: Unpack[LogMelOptions],
    ) -> "LogMel":
        """`librosa.power_to_db(librosa.feature.melspectrogram(...))`, as (frames, bins).

        Frames of 2,048 samples centred on every 512th one, zeros beyond the ends, periodic Hann
        window, Slaney mel with unit area, dB of at least 1e-10, at most 80 below the loudest.

        Args:
            num_mel_bins: librosa's `n_mels`, 1 to 256.
            sample_rate_hz: librosa's `sr`.
            low_hz: librosa's `fmin`.
            high_hz: librosa's `fmax`; None for half the sample rate.
            input_scale: multiplies every sample.
            **options: `fft_samples` is `n_fft`, `window_samples` is `win_length`, `hop_samples` is
                `hop_length` and a quarter of `fft_samples` if left out, `framing="whole"` is
                `center=False`, `padding` is `pad_mode`, `mel_scale="htk"` is `htk=True`,
                `mel_norm="none"` is `norm=None`, `spectrum="magnitude"` is `power=1`. A logarithm
                that is named has no `level_range` unless it is given: `logarithm="db"` is
                `top_db=None`, and can be streamed.
        """
        head = (sample_rate_hz, num_mel_bins, low_hz, high_hz, input_scale)
        return cls(LogMelSpec("librosa", *head, **options))

    @property
    def spec(self) -> LogMelSpec:
        """The transform, for a manifest."""
        return self._spec

    @property
    def settings(self) -> LogMelSettings:
        """The preset spelled out: samples per frame, window, mel scale and the rest."""
        return self._kernel.settings

    def __call__(
        self, samples: NDArray[Any], out: NDArray[np.float32] | None = None
    ) -> NDArray[np.float32]:
        """Log-mel energies.

        Args:
            samples: float32 or int16 of shape (n,) or (batch, n), with at least one frame: 25 ms
                for kaldi, 201 samples for whisper, 1 for librosa. Not contiguous ones are copied.
            out: float32 of the result's shape, contiguous, to be filled; None for new memory.

        Returns:
            float32 of shape (frames, columns) or (batch, frames, columns), where columns are
            `num_mel_bins`, and the energy in front if there is one. A sample that is NaN or
            infinite makes NaN of the frames it lies in, or of everything where there is a
            `level_range`.

        Raises:
            InputError: another dtype or shape, or too few samples.
        """
        samples = checked(samples, batch=True)
        shape = (*samples.shape[:-1], *rows_shape(self._kernel, samples.shape[-1]))
        out = np.empty(shape, np.float32) if out is None else checked_out(out, shape)
        if samples.ndim == 1:
            self._fill(samples, out)
        else:
            for one, rows in zip(samples, out, strict=True):
                self._fill(one, rows)
        return out

    def _fill(self, samples: NDArray[Any], rows: NDArray[np.float32]) -> None:
        self._kernel(samples, rows)
        if self._range is not None:
            offset, scale = (4.0, 0.25) if self._spec.preset == "whisper" else (0.0, 1.0)
            clamp_range(rows, self._range, offset, scale)

    def stream(self) -> FeatureStream:
        """The same of a signal that comes in chunks.

        Raises:
            UsageError: the levels are relative to the loudest one of the whole input.
        """
        if self._range is not None:
            raise not_streamable(self._spec)
        return FeatureStream(LogMelStreamKernel(self._kernel))

    def __repr__(self) -> str:
        return f"LogMel({self._spec!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LogMel) and self._spec == other._spec

    def __hash__(self) -> int:
        return hash(self._spec)

    def __reduce__(self) -> tuple[type["LogMel"], tuple[LogMelSpec]]:
        return type(self), (self._spec,)


def rows_shape(kernel: LogMelKernel, sample_count: int) -> tuple[int, int]:
    """Frames and columns of so many samples.

    Raises:
        InputError: not even one frame.
    """
    frames, settings = kernel.frames(sample_count), kernel.settings
    if frames == 0:
        whole = settings.framing == "whole"
        reflect = settings.padding == "reflect"
        least = settings.frame_samples if whole else settings.fft_samples // 2 * reflect + 1
        problem = f"{sample_count} values at {settings.sample_rate_hz} Hz hold no whole frame"
        raise InputError(
            "samples", f"{problem}, {least} are the least", "give more audio, or pad with zeros"
        )
    return frames, kernel.columns


def not_streamable(spec: LogMelSpec) -> UsageError:
    """Why features with a level range cannot be computed in chunks."""
    problem = f"levels are at most {level_range(spec):g} below the loudest of the whole input"
    way_out = "stream LogMel.kaldi(), or name the logarithm of LogMel.librosa() without a range"
    return UsageError(f"a stream of log-mel features, preset {spec.preset!r}", problem, way_out)
