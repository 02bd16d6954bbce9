"""Raw input to model inputs, with the same bits offline and on the device.

    LogMel        samples → float32 (frames, bins)
    ImageTensor   uint8 (height, width, 3) → float32 (3, height, width)
    RollingStats  float32 or float64 (series, n) → (series, statistics, n)
    build         one of them from its part of a manifest

All are immutable and may be shared by threads; a call releases the GIL.
"""

from typing import TypeAlias

from edgekit.features.audio import LogMel
from edgekit.features.image import ImageTensor
from edgekit.features.window import RollingStats, RollingStream
from edgekit.manifest import Bins, Ewma, FeatureSpec, LogMelSpec, RollingStatsSpec

__all__ = [
    "Bins", "Ewma", "Features", "ImageTensor", "LogMel", "RollingStats", "RollingStream", "build",
]  # fmt: skip

Features: TypeAlias = LogMel | ImageTensor | RollingStats


def build(spec: FeatureSpec) -> Features:
    """The features that a manifest describes.

    Raises:
        UsageError: the numbers in `spec` do not go together.
    """
    if isinstance(spec, LogMelSpec):
        return LogMel(spec)
    if isinstance(spec, RollingStatsSpec):
        return RollingStats.from_spec(spec)
    return ImageTensor.from_spec(spec)
