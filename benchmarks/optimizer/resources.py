"""What a command takes, with every process that it starts: CPU-seconds, wall seconds, memory."""

import resource
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

INTERVAL_S = 0.1


@dataclass(frozen=True)
class Ran:
    """A command that ended.

    Attributes:
        code: its exit code.
        stdout: what it said.
        stderr: what it complained about.
        cpu_s: user and system time of it and of all that it waited for.
        wall_s: from start to end.
        peak_mb: most memory of all its processes together; pages they share count once. Sampled
            every tenth of a second.
    """

    code: int
    stdout: str
    stderr: str
    cpu_s: float
    wall_s: float
    peak_mb: float


def run_measured(command: Sequence[str], folder: Path) -> Ran:
    """Run a command to its end; `folder` keeps what it prints."""
    before, started = _children_cpu_s(), time.monotonic()
    out, err = folder / "stdout", folder / "stderr"
    peak_kb = 0
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = subprocess.Popen(list(command), stdout=stdout, stderr=stderr)
        while process.poll() is None:
            peak_kb = max(peak_kb, sum(_pss_kb(pid) for pid in _tree(process.pid)))
            time.sleep(INTERVAL_S)
    wall_s = time.monotonic() - started
    said, complained = (path.read_text(errors="replace") for path in (out, err))
    cpu_s = _children_cpu_s() - before
    return Ran(process.returncode, said, complained, cpu_s, wall_s, peak_kb / 1024)


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _tree(root: int) -> list[int]:
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found


def _pss_kb(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
