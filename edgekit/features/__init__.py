"""Raw input to model inputs, with the same bits offline and on the device.

    LogMel          samples → float32 (frames, bins), presets of Kaldi, Whisper and librosa
    Mfcc            samples → float32 (frames, coefficients), presets of Kaldi and librosa
    MicroFrontend   int16 samples → float32 (frames, channels), TFLite-micro's fixed point
    FeatureStream   any of these in chunks: `LogMel.kaldi().stream()`
    ImageTensor     uint8 (height, width, 3), gray or camera planes → (3, height, width)
    RollingStats    float32 or float64 (series, n) → (series, statistics, n)
    build           one of them from its part of a manifest

All but streams are immutable and may be shared by threads; a call releases the GIL.
"""

from typing import TypeAlias

from edgekit.features.audio import LogMel
from edgekit.features.image import ImageTensor
from edgekit.features.mfcc import Mfcc
from edgekit.features.micro import MicroFrontend
from edgekit.features.stream import FeatureStream
from edgekit.features.window import RollingStats, RollingStream
from edgekit.manifest import (
    Bins,
    Camera,
    Ewma,
    FeatureSpec,
    LogMelSpec,
    MfccSpec,
    MicroFrontendSpec,
    Output,
    Resize,
    RollingStatsSpec,
)

__all__ = [
    "Bins", "Camera", "Ewma", "FeatureStream", "Features", "ImageTensor", "LogMel", "Mfcc",
    "MicroFrontend", "Output", "Resize", "RollingStats", "RollingStream", "build",
]  # fmt: skip

Features: TypeAlias = LogMel | Mfcc | MicroFrontend | ImageTensor | RollingStats


def build(spec: FeatureSpec) -> Features:
    """The features that a manifest describes.

    Raises:
        UsageError: the numbers in `spec` do not go together.
    """
    if isinstance(spec, LogMelSpec):
        return LogMel(spec)
    if isinstance(spec, RollingStatsSpec):
        return RollingStats.from_spec(spec)
    if isinstance(spec, MfccSpec):
        return Mfcc(spec)
    if isinstance(spec, MicroFrontendSpec):
        return MicroFrontend(spec)
    return ImageTensor.from_spec(spec)
