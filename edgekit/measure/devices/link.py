"""Commands on a board over a connection that may drop: each with a deadline, tried again."""

import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, TypeVar

import msgspec

from edgekit.errors import DeviceError
from edgekit.measure.devices.commands import end_session, last_words
from edgekit.measure.devices.transport import LinkLostError, Transport, link_error

AGENT = Path(__file__).with_name("agent.py")
Chosen = TypeVar("Chosen")

PYTHONS = ("python3", "python3.14", "python3.13", "python3.12", "python3.11")
TERMUX = "/data/data/com.termux/files/usr/bin/python3"
NO_PYTHON = 69

FIND_PYTHON = """\
for python in {candidates}; do
  if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    exec "$python" -I -c {agent} probe "$python"
  fi
done
exit {code}"""


class Link:
    """A board's connection.

    Args:
        transport: how commands get there.
        attempts: how often an operation is tried before it fails.
        wait_s: before the second attempt; doubled each time.
    """

    def __init__(self, transport: Transport, attempts: int = 5, wait_s: float = 0.5) -> None:
        self.transport = transport
        self.thing = transport.thing
        self._attempts = attempts
        self._wait_s = wait_s

    def start(self, script: str, stderr: IO[bytes]) -> "subprocess.Popen[bytes]":
        """A command on the board with pipes to its stdin and from its stdout."""
        command = self.transport.command(script)
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            start_new_session=True,
            bufsize=0,
        )

    def once(self, script: str, feed: Iterable[bytes] = (), timeout_s: float = 120.0) -> bytes:
        """Run a script on the board; its stdout.

        Raises:
            LinkLostError: the connection broke or took too long.
            DeviceError: the script failed.
        """
        with tempfile.TemporaryFile() as stderr:
            process = self.start(script, stderr)
            late = threading.Event()
            timer = threading.Timer(timeout_s, _end, [process, late])
            timer.daemon = True  # an interrupted program must not wait for it
            try:
                timer.start()
                stdout = _converse(process, feed)
            finally:
                timer.cancel()
                end_session(process)
                _close(process)
            stderr.seek(0)
            self.check(process.returncode, stderr.read(), late=late.is_set())
        return stdout

    def check(self, code: int, stderr: bytes, *, late: bool = False) -> None:
        """Raise what an exit code means; nothing for 0.

        Raises:
            LinkLostError: the connection broke, or its deadline passed.
            DeviceError: it will not be better next time, or the script failed.
        """
        words = last_words(stderr)
        failure = self.transport.failure(code, words)
        if failure is not None:
            raise link_error(self.thing, failure)
        if late:
            raise LinkLostError(self.thing, "no answer in time", "check the connection")
        if code == NO_PYTHON:
            problem = "it has no Python 3.11 or later"
            raise DeviceError(self.thing, problem, "install one on the board")
        if code != 0:
            problem = f"a command failed there: {words or f'exit code {code}'}"
            raise DeviceError(self.thing, problem, "see docs/devices.md for what a board needs")

    def retried(self, action: Callable[[], Chosen]) -> Chosen:
        """Do something that may be done again, until it is done.

        Raises:
            DeviceError: the connection broke every time, or will not get better.
        """
        for attempt in range(1, self._attempts):
            try:
                return action()
            except LinkLostError:
                self.wait(attempt)
        try:
            return action()
        except LinkLostError as error:
            raise self.given_up(error) from error

    def wait(self, attempt: int) -> None:
        """Wait before the next attempt: twice as long each time, at most 15 s."""
        time.sleep(min(self._wait_s * 2 ** (attempt - 1), 15.0))

    def given_up(self, error: LinkLostError) -> DeviceError:
        """The error after the last attempt."""
        problem = f"{error.problem} ({self._attempts} attempts)"
        return DeviceError(self.thing, problem, error.way_out)

    @property
    def attempts(self) -> int:
        """How often an operation is tried."""
        return self._attempts


def decoded(answer: bytes, kind: type[Chosen], thing: str) -> Chosen:
    """The JSON line that the agent answered with.

    Raises:
        DeviceError: it is something else, such as the greeting of a login script.
    """
    try:
        return msgspec.json.decode(answer, type=kind)
    except msgspec.DecodeError:
        problem = f"it answered {answer[:80]!r}"
        way_out = "a login script must print nothing when there is no terminal"
        raise DeviceError(thing, problem, way_out) from None


def _end(process: "subprocess.Popen[bytes]", late: threading.Event) -> None:
    late.set()
    end_session(process)


def _converse(process: "subprocess.Popen[bytes]", feed: Iterable[bytes]) -> bytes:
    """Send everything, end stdin, read everything."""
    stdin: Any = process.stdin
    stdout: Any = process.stdout
    with suppress(BrokenPipeError):  # it says why on stderr
        for part in feed:
            view = memoryview(part)
            while view:
                view = view[stdin.write(view) :]
    with suppress(BrokenPipeError):
        stdin.close()
    answer: bytes = stdout.read()
    process.wait()
    return answer


def _close(process: "subprocess.Popen[bytes]") -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(BrokenPipeError):
                pipe.close()
