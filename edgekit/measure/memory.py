"""Peak resident memory of this process."""

import sys
from pathlib import Path


def peak_memory_mb() -> float | None:
    """Peak resident memory since this program started, in MB of 1,000,000 bytes.

    Linux tells it as VmHWM, which starts anew with every program; `getrusage` would pass on the
    peak of the process that forked this one. None where the system tells neither.
    """
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return _peak_of_getrusage()
    for line in status.splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    return None


def _peak_of_getrusage() -> float | None:
    if sys.platform != "darwin":
        return None
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
