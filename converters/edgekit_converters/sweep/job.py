"""One search in a process of its own, and how it ended: done, refused in a line, or crashed.

What such a process breaks, it breaks there. It ends when its parent does, however that ends.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from msgspec import Struct

from edgekit_converters.sweep.plan import Job

ATTEMPTS = 2
PATIENCE_S = 10.0
"""For a process that was told to end and cleans up."""
PASSED = 0
REFUSED = 2
PREFIX = "edgekit: "
Started = Callable[["subprocess.Popen[bytes]"], None]


class Outcome(Struct, frozen=True):
    """How a search ended.

    Attributes:
        job: its name.
        attempts: processes that it took.
        found: what `edgekit optimize --json` says; None where it did not end well.
        problem: why, in a line; empty where it ended well.
        crashed: whether processes broke, as against a model or task that was refused.
    """

    job: str
    attempts: int
    found: dict[str, Any] | None = None
    problem: str = ""
    crashed: bool = False


def run_job(job: Job, out: Path, started: Started | None = None) -> Outcome:
    """Run a search; one that breaks is tried once more.

    Args:
        job: what to search for.
        out: folder for what it writes: all of it or nothing.
        started: is shown each process.
    """
    outcome = _attempt(job, out, 1, started)
    for number in range(2, ATTEMPTS + 1):
        if not outcome.crashed:
            break
        outcome = _attempt(job, out, number, started)
    return outcome


def end(process: "subprocess.Popen[bytes]") -> None:
    """Tell a search to end, wait while it cleans up, then end all that it started."""
    with suppress(ProcessLookupError):
        process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(PATIENCE_S)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _attempt(job: Job, out: Path, number: int, started: Started | None) -> Outcome:
    command = [sys.executable, "-m", f"{__package__}.process", *job.arguments(out)]
    with TemporaryFile() as said, TemporaryFile() as complained:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=said, stderr=complained, start_new_session=True
        )
        try:
            if started is not None:
                started(process)
            code = process.wait()
        finally:
            end(process)
            if process.stdin is not None:
                process.stdin.close()
        return _outcome(job, number, code, _text(said), _text(complained))


def _outcome(job: Job, number: int, code: int, said: str, complained: str) -> Outcome:
    if code == PASSED:
        with suppress(ValueError):
            return Outcome(job.name, number, json.loads(said))
        return Outcome(job.name, number, None, "its process told nothing", crashed=True)
    lines = [line for line in complained.splitlines() if line.strip()]
    last = next((line for line in reversed(lines) if line.startswith(PREFIX)), "")
    if code == REFUSED and last:
        return Outcome(job.name, number, None, last.removeprefix(PREFIX))
    how = f"ended by signal {-code}" if code < 0 else f"ended with code {code}"
    said_last = (last or (lines[-1] if lines else "no word")).removeprefix(PREFIX)
    return Outcome(job.name, number, None, f"its process {how}: {said_last[:300]}", crashed=True)


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")
