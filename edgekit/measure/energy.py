"""Energy that the machine says it took: RAPL, or a hwmon counter. Most say nothing.

A counter is of a whole package or board, with all that runs there, never of one process. Reading
RAPL takes root on most systems.

Source: Linux kernel documentation, "Power Capping Framework" and "hwmon sysfs interface".
"""

from pathlib import Path
from typing import NamedTuple

CLASS = Path("/sys/class")
WHY_NOT = "no readable energy counter in /sys/class/powercap or /sys/class/hwmon"


class Counter(NamedTuple):
    """One counter: microjoules that only grow, until they wrap at `wrap_uj`."""

    path: Path
    wrap_uj: int | None

    def read(self) -> int:
        """Microjoules."""
        return int(self.path.read_text())

    def since(self, before_uj: int) -> int:
        """Microjoules since a reading, once around the wrap at most.

        Raises:
            OSError: it cannot be read any more.
        """
        spent = self.read() - before_uj
        return spent if spent >= 0 or self.wrap_uj is None else spent + self.wrap_uj


def find_counter(root: Path = CLASS) -> Counter | None:
    """The first package counter of RAPL, else the first energy counter of hwmon, else None."""
    for zone in sorted(root.glob("powercap/intel-rapl:*")):
        if zone.name.count(":") == 1 and (path := _readable(zone / "energy_uj")):
            wrap = _readable(zone / "max_energy_range_uj")
            return Counter(path, int(wrap.read_text()) if wrap else None)
    for candidate in sorted(root.glob("hwmon/hwmon*/energy*_input")):
        if path := _readable(candidate):
            return Counter(path, None)
    return None


def _readable(path: Path) -> Path | None:
    try:
        int(path.read_text())
    except (OSError, ValueError):
        return None
    return path
