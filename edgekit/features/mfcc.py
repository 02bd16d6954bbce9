"""Mel-frequency cepstral coefficients of mono audio."""

import dataclasses
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from edgekit.errors import UsageError
from edgekit.features.audio import not_streamable, rows_shape
from edgekit.features.presets import LogMelOptions, level_range, settings_of
from edgekit.features.samples import checked, checked_out
from edgekit.features.stream import FeatureStream
from edgekit.kernels import LogMelKernel, LogMelSettings, LogMelStreamKernel, cepstra, clamp_range
from edgekit.manifest import LogMelSpec, MfccSpec


class Mfcc:
    """Cepstral coefficients: `Mfcc.kaldi()(samples)` gives float32 of shape (frames, 13).

    The orthonormal DCT-II of `LogMel`'s energies, liftered. Samples, scales, batches, `out` and
    what is promised about bits are as there.

    Args:
        spec: the transform, as in a manifest.

    Raises:
        UsageError: the numbers in `spec` do not go together.
    """

    __slots__ = ("_kernel", "_levels", "_range", "_spec")

    def __init__(self, spec: MfccSpec) -> None:
        settings = _settings(spec)
        self._spec = spec
        self._range = level_range(spec.log_mel)
        self._kernel = LogMelKernel(settings)
        self._levels = LogMelKernel(dataclasses.replace(settings, cepstra=0))

    @classmethod
    def kaldi(
        cls,
        num_ceps: int = 13,
        num_mel_bins: int = 23,
        sample_rate_hz: int = 16_000,
        *,
        lifter: float = 22.0,
        input_scale: float = 1.0,
        **options: Unpack[LogMelOptions],
    ) -> "Mfcc":
        """Kaldi's `compute-mfcc-feats` with its defaults and no dither.

        Args:
            num_ceps: 1 to `num_mel_bins`.
            num_mel_bins: 1 to 256.
            sample_rate_hz: 1,000 to 1,000,000.
            lifter: Kaldi's `--cepstral-lifter`; 0 for none.
            input_scale: multiplies every sample.
            **options: as for `LogMel.kaldi`. `energy`, on unless it is False, puts the frame's log
                energy in the place of the first coefficient.
        """
        options.setdefault("energy", True)
        head = (sample_rate_hz, num_mel_bins, 20.0, sample_rate_hz / 2, input_scale)
        return cls(MfccSpec(LogMelSpec("kaldi", *head, **options), num_ceps, lifter))

    @classmethod
    def librosa(
        cls,
        num_ceps: int = 20,
        num_mel_bins: int = 128,
        sample_rate_hz: int = 22_050,
        *,
        lifter: float = 0.0,
        input_scale: float = 1.0,
        **options: Unpack[LogMelOptions],
    ) -> "Mfcc":
        """`librosa.feature.mfcc`, as (frames, num_ceps).

        Args:
            num_ceps: librosa's `n_mfcc`, 1 to `num_mel_bins`.
            num_mel_bins: librosa's `n_mels`.
            sample_rate_hz: librosa's `sr`.
            lifter: 0 for none.
            input_scale: multiplies every sample.
            **options: as for `LogMel.librosa`. There is a `level_range` of 80 dB unless the
                logarithm is named.
        """
        head = (sample_rate_hz, num_mel_bins, 0.0, sample_rate_hz / 2, input_scale)
        return cls(MfccSpec(LogMelSpec("librosa", *head, **options), num_ceps, lifter))

    @property
    def spec(self) -> MfccSpec:
        """The transform, for a manifest."""
        return self._spec

    def __call__(
        self, samples: NDArray[Any], out: NDArray[np.float32] | None = None
    ) -> NDArray[np.float32]:
        """Cepstral coefficients.

        Args:
            samples: float32 or int16 of shape (n,) or (batch, n), with at least one frame.
            out: float32 of the result's shape, contiguous, to be filled; None for new memory.

        Returns:
            float32 of shape (frames, num_ceps) or (batch, frames, num_ceps).

        Raises:
            InputError: another dtype or shape, or too few samples.
        """
        samples = checked(samples, batch=True)
        count = samples.shape[-1]
        shape = (*samples.shape[:-1], *rows_shape(self._kernel, count))
        out = np.empty(shape, np.float32) if out is None else checked_out(out, shape)
        for one, rows in zip(samples.reshape(-1, count), out.reshape(-1, *shape[-2:]), strict=True):
            if self._range is None:
                self._kernel(one, rows)
            else:
                levels = self._levels(one)
                clamp_range(levels, self._range, 0.0, 1.0)
                cepstra(self._kernel, levels, rows)
        return out

    def stream(self) -> FeatureStream:
        """The same of a signal that comes in chunks.

        Raises:
            UsageError: the levels are relative to the loudest one of the whole input.
        """
        if self._range is not None:
            raise not_streamable(self._spec.log_mel)
        return FeatureStream(LogMelStreamKernel(self._kernel))

    def __repr__(self) -> str:
        return f"Mfcc({self._spec!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mfcc) and self._spec == other._spec

    def __hash__(self) -> int:
        return hash(self._spec)

    def __reduce__(self) -> tuple[type["Mfcc"], tuple[MfccSpec]]:
        return type(self), (self._spec,)


def _settings(spec: MfccSpec) -> LogMelSettings:
    settings = settings_of(spec.log_mel)
    if not 1 <= spec.num_ceps <= settings.mel_bins:
        problem, way_out = f"num_ceps={spec.num_ceps}", f"use 1 to num_mel_bins={settings.mel_bins}"
        raise UsageError("MFCC features", problem, way_out)
    if spec.log_mel.preset == "whisper":
        raise UsageError("MFCC features", "preset='whisper'", "use 'kaldi' or 'librosa'")
    if not (spec.lifter == 0 or 1 <= spec.lifter <= 1000):
        raise UsageError("MFCC features", f"lifter={spec.lifter}", "use 0 for none, or 1 to 1000")
    return dataclasses.replace(
        settings,
        cepstra=spec.num_ceps,
        lifter=spec.lifter,
        lifter_from=int(spec.log_mel.preset == "librosa"),
    )
