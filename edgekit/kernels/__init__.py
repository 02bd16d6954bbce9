"""Arrays in, arrays out: the only importers of the compiled kernels.

    machine   instruction sets, CPU features, aligned memory
    audio     log-mel energies and their cepstra
    stream    the same of a signal that comes in chunks
    micro     TFLite-micro's fixed-point front end
    blocks    rows that a stream gives
    image     8-bit images to tensors
    window    rolling statistics of time series

Every call releases the GIL and works on memory of its own, so one kernel may be used by many
threads at once. Callers check dtypes and shapes first; `edgekit.features` does.
"""

from edgekit.kernels.audio import LogMelKernel, LogMelSettings, cepstra, clamp_range
from edgekit.kernels.image import CameraPlanes, ImageKernel, Placement, TensorSettings
from edgekit.kernels.machine import available_isas, cpu_features
from edgekit.kernels.micro import MicroKernel, MicroSettings, MicroStreamKernel
from edgekit.kernels.stream import LogMelStreamKernel
from edgekit.kernels.window import RollingKernel, RollingSettings

__all__ = [
    "CameraPlanes",
    "ImageKernel",
    "LogMelKernel",
    "LogMelSettings",
    "LogMelStreamKernel",
    "MicroKernel",
    "MicroSettings",
    "MicroStreamKernel",
    "Placement",
    "RollingKernel",
    "RollingSettings",
    "TensorSettings",
    "available_isas",
    "cepstra",
    "clamp_range",
    "cpu_features",
]
