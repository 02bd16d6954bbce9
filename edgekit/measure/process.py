"""A worker process seen from its parent: started, asked, and never left behind."""

import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

import msgspec

from edgekit import errors
from edgekit.errors import CrashError, EdgekitError, InternalError
from edgekit.measure.protocol import (
    Answer,
    Block,
    Infer,
    Inferred,
    Load,
    Loaded,
    Open,
    Opened,
    Refused,
    Request,
    Times,
    decode_answer,
    encode,
)

COMMAND = (sys.executable, "-P", "-m", "edgekit.measure.worker")  # -P: not the caller's folder
SETTINGS = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    # from 1.29 on onnxruntime uploads usage data from a thread of its own, beside what is timed,
    # and leaves a file behind
    "ORT_DISABLE_TELEMETRY": "1",
}


class Worker:
    """A fresh process in a session of its own, so that Ctrl-C reaches the parent alone.

    It dies when it is closed, when its parent dies, and when it takes too long to answer.

    Args:
        timeout_s: longest wait for one answer.
        command: what to start; a device's leads to the worker on a board.
    """

    def __init__(self, timeout_s: float, command: Sequence[str] = COMMAND) -> None:
        self._timeout_s = timeout_s
        self._unread = b""
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            start_new_session=True,
            env={**os.environ, **SETTINGS},
            bufsize=0,
        )

    @property
    def pid(self) -> int:
        """The process id, which is also the id of its session."""
        return self._process.pid

    def load(self, request: Load) -> Loaded:
        """Load one side.

        Raises:
            CrashError: the process ended or hung over it.
            EdgekitError: whatever the worker refused, as the class that it was there.
        """
        answer = self._ask(request, f"model {request.path!r}", "while it was loaded and warmed up")
        if not isinstance(answer, Loaded):
            raise _unexpected(answer)
        return answer

    def time(self, request: Block, thing: str) -> Times:
        """Time one block of calls.

        Args:
            request: the calls.
            thing: what an error calls the models in it.

        Raises:
            CrashError: the process ended or hung over it.
            EdgekitError: whatever the worker refused, as the class that it was there.
        """
        answer = self._ask(request, thing, "while its calls were timed")
        if not isinstance(answer, Times):
            raise _unexpected(answer)
        return answer

    def open(self, request: Open) -> Opened:
        """Load a model to answer.

        Raises:
            CrashError: the process ended or hung over it.
            EdgekitError: whatever the worker refused, as the class that it was there.
        """
        answer = self._ask(request, f"model {request.path!r}", "while it was loaded")
        if not isinstance(answer, Opened):
            raise _unexpected(answer)
        return answer

    def infer(self, request: Infer, thing: str) -> Inferred:
        """Run the model that was opened.

        Args:
            request: its inputs.
            thing: what an error calls it.

        Raises:
            CrashError: the process ended or hung over it.
            EdgekitError: whatever the worker refused, as the class that it was there.
        """
        answer = self._ask(request, thing, "while it ran")
        if not isinstance(answer, Inferred):
            raise _unexpected(answer)
        return answer

    def close(self) -> None:
        """End the process and everything it started."""
        if self._process.returncode is None:
            with suppress(ProcessLookupError, PermissionError):  # it has ended by itself
                os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._stderr):
            if pipe is not None:
                pipe.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _ask(self, request: Request, thing: str, when: str) -> Answer:
        try:
            self._write(encode(request))
        except BrokenPipeError:
            raise self._crash(thing, when) from None
        line = self._read_line(thing, when)
        try:
            answer = decode_answer(line)
        except msgspec.DecodeError as error:
            raise _unexpected(line[:100]) from error
        if isinstance(answer, Refused):
            raise rebuild(answer)
        return answer

    def _write(self, line: bytes) -> None:
        """All of it: an unbuffered pipe takes a part at a time."""
        assert self._process.stdin is not None
        rest = memoryview(line)
        while rest:
            rest = rest[self._process.stdin.write(rest) :]

    def _read_line(self, thing: str, when: str) -> bytes:
        assert self._process.stdout is not None
        deadline = time.monotonic() + self._timeout_s
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            parts = [self._unread]
            while b"\n" not in parts[-1]:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise self._timeout(thing, when)
                part = os.read(self._process.stdout.fileno(), 1 << 20)
                if not part:
                    raise self._crash(thing, when)
                parts.append(part)
        line, _, self._unread = b"".join(parts).partition(b"\n")
        return line

    def _crash(self, thing: str, when: str) -> EdgekitError:
        how = how_it_ended(self._process.wait())
        last = self._last_words()
        problem = f"the process that ran it ended {when} ({how}{': ' + last if last else ''})"
        return CrashError(thing, problem, "run it alone to see why, or convert it another way")

    def _timeout(self, thing: str, when: str) -> CrashError:
        problem = f"no answer in {self._timeout_s:g} s {when}"
        return CrashError(thing, problem, "allow more time or use a smaller model")

    def _last_words(self) -> str:
        self._stderr.seek(0)
        lines = self._stderr.read()[-4096:].decode(errors="replace").strip().splitlines()
        return lines[-1].strip()[:200] if lines else ""


def how_it_ended(code: int) -> str:
    """A return code in words; a shell says 128 + N for what ended by signal N."""
    number = -code if code < 0 else code - 128
    if number in set(signal.Signals):
        return f"signal {signal.Signals(number).name}"
    return f"exit code {code}"


def rebuild(refused: Refused) -> EdgekitError:
    """The worker's error as one of the parent's."""
    kind = getattr(errors, refused.error, EdgekitError)
    if not (isinstance(kind, type) and issubclass(kind, EdgekitError)):
        kind = EdgekitError
    return kind(refused.thing, refused.problem, refused.way_out)


def _unexpected(answer: object) -> InternalError:
    return InternalError("the measuring process", f"it answered {answer!r}", "report this bug")
