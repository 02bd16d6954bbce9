"""What a command takes, with every process that it starts: CPU-seconds, wall seconds, memory."""

import os
import resource
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
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


def run_measured(
    command: Sequence[str],
    folder: Path,
    *,
    timeout_s: float = float("inf"),
    memory_bytes: int | None = None,
    cwd: Path | None = None,
) -> Ran:
    """Run a command to its end, or to a limit.

    Args:
        command: what to run.
        folder: keeps what it prints.
        timeout_s: after that it is killed, with all that it started.
        memory_bytes: of address space that it may take.
        cwd: folder that it runs in.
    """
    before, started = _children_cpu_s(), time.monotonic()
    out, err = folder / "stdout", folder / "stderr"
    peak_kb = 0
    with out.open("wb") as stdout, err.open("wb") as stderr:
        limit = None
        if memory_bytes is not None:
            limit = partial(resource.setrlimit, resource.RLIMIT_AS, (memory_bytes, memory_bytes))
        process = subprocess.Popen(
            list(command),
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
            cwd=cwd,
            preexec_fn=limit,  # noqa: PLW1509 - there are no threads here
        )
        try:
            while process.poll() is None:
                if time.monotonic() - started > timeout_s:
                    stderr.write(f"\nkilled after {timeout_s:.0f} s\n".encode())
                    break
                peak_kb = max(peak_kb, sum(_pss_kb(pid) for pid in _tree(process.pid)))
                time.sleep(INTERVAL_S)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
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
