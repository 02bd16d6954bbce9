"""TFLite-micro's fixed-point audio front end."""

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from edgekit.errors import InputError, UsageError
from edgekit.features.samples import checked, checked_out
from edgekit.features.stream import FeatureStream
from edgekit.kernels import MicroKernel, MicroSettings, MicroStreamKernel
from edgekit.manifest import MicroFrontendSpec


class MicroFrontend:
    """TFLite-micro's front end: `MicroFrontend()(samples)` gives float32 of shape (frames, 40).

    What keyword spotters for microcontrollers were trained with (micro_speech, microWakeWord,
    ESPHome): Hann window, fixed-point transform, mel filters, noise reduction, per-channel gain
    control (PCAN), logarithm; `tensorflow/lite/experimental/microfrontend` in integers, and with
    its defaults bit for bit what the package pymicro-features gives. The noise estimates start
    at zero and go on from frame to frame, so the first second sounds different from the rest.

    Instances are immutable and may be shared by threads; each call starts from silence, and
    `stream()` carries on. The result has the same bits on every CPU and in every chunking.

    Args:
        spec: the numbers, as in a manifest; None for the defaults of the original's users.
        **numbers: fields of `MicroFrontendSpec` that differ from that.

    Raises:
        UsageError: a number is out of range.
    """

    __slots__ = ("_kernel", "_spec")

    def __init__(self, spec: MicroFrontendSpec | None = None, **numbers: Any) -> None:
        spec = MicroFrontendSpec() if spec is None else spec
        try:
            self._spec = msgspec.structs.replace(spec, **numbers)
        except TypeError as error:
            raise UsageError("micro front end", str(error), "see MicroFrontendSpec") from error
        try:
            self._kernel = MicroKernel(_settings(self._spec))
        except (OverflowError, TypeError) as error:
            raise UsageError("micro front end", f"{self._spec}: {error}", "check it") from error

    @property
    def spec(self) -> MicroFrontendSpec:
        """The numbers, for a manifest."""
        return self._spec

    def __call__(
        self, samples: NDArray[np.int16], out: NDArray[np.float32] | None = None
    ) -> NDArray[np.float32]:
        """Features of a signal, from silence on.

        Args:
            samples: int16 of shape (n,) or (batch, n), with at least one window: 30 ms.
            out: float32 of the result's shape, contiguous, to be filled; None for new memory.

        Returns:
            float32 of shape (frames, num_channels) or (batch, frames, num_channels): whole numbers
            of 0 to 65,535 times `output_scale`.

        Raises:
            InputError: another dtype or shape, or too few samples.
        """
        samples = _whole(checked(samples, batch=True))
        count = samples.shape[-1]
        frames = self._kernel.frames(count)
        if frames == 0:
            least = self._kernel.settings.window_samples
            problem = f"{count} values hold no whole window, {least} are the least"
            raise InputError("samples", problem, "give more audio, or pad with zeros")
        shape = (*samples.shape[:-1], frames, self._spec.num_channels)
        out = np.empty(shape, np.float32) if out is None else checked_out(out, shape)
        stream = MicroStreamKernel(self._kernel)
        rows = out.reshape(-1, *shape[-2:])
        for one, target in zip(samples.reshape(-1, count), rows, strict=True):
            stream.push_into(one, stream.takes[one.dtype], target)
            stream.restart()
        return out

    def stream(self) -> FeatureStream:
        """The same of a signal that comes in chunks; only int16 is taken."""
        return FeatureStream(MicroStreamKernel(self._kernel))

    def __repr__(self) -> str:
        return f"MicroFrontend({self._spec!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MicroFrontend) and self._spec == other._spec

    def __hash__(self) -> int:
        return hash(self._spec)

    def __reduce__(self) -> tuple[type["MicroFrontend"], tuple[MicroFrontendSpec]]:
        return type(self), (self._spec,)


def _whole(samples: NDArray[Any]) -> NDArray[np.int16]:
    if samples.dtype != np.int16:
        problem = f"got {samples.dtype}, the micro front end computes with int16"
        raise InputError("samples", problem, "give the int16 values of the recording")
    return samples


def _settings(spec: MicroFrontendSpec) -> MicroSettings:
    return MicroSettings(
        sample_rate_hz=spec.sample_rate_hz,
        window_samples=spec.window_ms * spec.sample_rate_hz // 1000,
        hop_samples=spec.hop_ms * spec.sample_rate_hz // 1000,
        channels=spec.num_channels,
        smoothing_bits=spec.smoothing_bits,
        pcan=spec.pcan,
        gain_bits=spec.gain_bits,
        log=spec.log,
        log_shift=spec.log_shift,
        low_hz=spec.low_hz,
        high_hz=spec.high_hz,
        even_smoothing=spec.even_smoothing,
        odd_smoothing=spec.odd_smoothing,
        min_signal_remaining=spec.min_signal_remaining,
        pcan_strength=spec.pcan_strength,
        pcan_offset=spec.pcan_offset,
        output_scale=spec.output_scale,
    )
