"""Raw input to model inputs, with the same bits offline and on the device.

    LogMel        samples → float32 (frames, bins)
    ImageTensor   uint8 (height, width, 3) → float32 (3, height, width)
    build         either of them from its part of a manifest

All are immutable and may be shared by threads; a call releases the GIL.
"""

from edgekit.features.audio import LogMel
from edgekit.features.image import ImageTensor
from edgekit.manifest import FeatureSpec, LogMelSpec

__all__ = ["ImageTensor", "LogMel", "build"]


def build(spec: FeatureSpec) -> LogMel | ImageTensor:
    """The features that a manifest describes.

    Raises:
        UsageError: the numbers in `spec` do not go together.
    """
    return LogMel(spec) if isinstance(spec, LogMelSpec) else ImageTensor.from_spec(spec)
