"""Arrays in, arrays out: the only importers of the compiled kernels.

    machine   instruction sets, CPU features, aligned memory
    audio     log-mel energies
    image     8-bit images to float planes
    window    rolling statistics of time series

Every call releases the GIL and works on memory of its own, so one kernel may be used by many
threads at once. Callers check dtypes and shapes first; `edgekit.features` does.
"""

from edgekit.kernels.audio import LogMelKernel, LogMelSettings, clamp_range
from edgekit.kernels.image import ImageKernel
from edgekit.kernels.machine import available_isas, cpu_features
from edgekit.kernels.window import RollingKernel, RollingSettings

__all__ = [
    "ImageKernel",
    "LogMelKernel",
    "LogMelSettings",
    "RollingKernel",
    "RollingSettings",
    "available_isas",
    "clamp_range",
    "cpu_features",
]
