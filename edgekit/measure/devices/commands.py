"""Run a program that a device needs; whatever goes wrong is a DeviceError with a way out."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from edgekit.errors import DeviceError

TIDY_S = 2.0
COMPILER_ERROR = re.compile(r":\d+:\d+: (fatal )?error: ")


def find_program(name: str, thing: str, package: str) -> str:
    """The path of a program.

    Args:
        name: of the program.
        thing: the device that needs it.
        package: the Debian package that brings it.

    Raises:
        DeviceError: it is not installed.
    """
    path = shutil.which(name)
    if path is None:
        problem = f"the program {name} is not installed"
        raise DeviceError(thing, problem, f"install it: apt-get install {package}")
    return path


@dataclass(frozen=True)
class Step:
    """One command of a set-up.

    Attributes:
        thing: the device or part that an error names.
        what: what the command does, for the error: `fetch the packages`.
        way_out: what to do when it fails.
        timeout_s: longest time that it may take.
    """

    thing: str
    what: str
    way_out: str
    timeout_s: float = 600.0

    def run(
        self,
        command: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> str:
        """Run it in a session of its own and return its stdout.

        Raises:
            DeviceError: it cannot be started, fails or takes too long; nothing of it goes on.
        """
        try:
            process = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=env,
                cwd=cwd,
                start_new_session=True,
            )
        except OSError as error:
            raise self.failed(f"{command[0]} cannot be started: {error.strerror}") from error
        with process:
            try:
                stdout, stderr = process.communicate(timeout=self.timeout_s)
            except subprocess.TimeoutExpired:
                raise self.failed(f"it took more than {self.timeout_s:g} s") from None
            finally:
                _end_tidily(process)
        if process.returncode != 0:
            raise self.failed(last_words(stderr or stdout) or f"exit code {process.returncode}")
        return stdout.decode(errors="replace")

    def failed(self, problem: str) -> DeviceError:
        """The error that this step failed."""
        return DeviceError(self.thing, f"cannot {self.what}: {problem}", self.way_out)


def _end_tidily(process: "subprocess.Popen[bytes]") -> None:
    """Ctrl-C, and a moment to remove temporary files: pip, apt and compilers do, unless killed."""
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError, PermissionError):  # it has ended by itself
        os.killpg(process.pid, signal.SIGINT)
    with suppress(subprocess.TimeoutExpired):
        process.wait(TIDY_S)
    with suppress(ProcessLookupError, PermissionError):  # nothing of it goes on
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def end_session(process: "subprocess.Popen[bytes]") -> None:
    """End a process that leads a session, and all that it started there."""
    if process.returncode is None:
        with suppress(ProcessLookupError, PermissionError):  # it has ended by itself
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def last_words(output: bytes) -> str:
    """A compiler's last error, or the last line that says something; no passwords of addresses."""
    lines = [line.strip() for line in output[-65536:].decode(errors="replace").splitlines()]
    said = [line for line in lines if line]
    said = [line for line in said if COMPILER_ERROR.search(line)] or said
    return re.sub(r"//[^/@\s]+@", "//", said[-1])[:300] if said else ""
