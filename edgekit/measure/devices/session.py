"""One visit to a board: a folder and workers that are gone when it ends, however it ends.

A keeper process on the board holds the session. It ends with its connection, or when no line has
come for a lease; then it ends every process of the session and removes its folder.
"""

import io
import selectors
import shlex
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from types import TracebackType
from typing import IO, Any, Self

import msgspec
import numpy as np
from msgspec import Struct

from edgekit.engines import plain
from edgekit.errors import EdgekitError
from edgekit.measure.devices.board import Board
from edgekit.measure.devices.commands import end_session
from edgekit.measure.devices.link import decoded
from edgekit.measure.devices.transport import LinkLostError
from edgekit.measure.process import Worker
from edgekit.measure.samples import MOST, Samples

LEASE_S = 30.0
BEAT_S = 5.0
START_S = 60.0
END_S = 20.0


class _Kept(Struct):
    folder: str


class Session:
    """A context manager; see above.

    Args:
        board: where.

    Raises:
        LinkLostError: the connection broke before the session began.
        DeviceError: the board refuses.
    """

    def __init__(self, board: Board) -> None:
        self._board = board
        self._stack = ExitStack()
        self._stderr = self._stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - the stack closes it
        script = board.agent("keep", board.probed.root, str(LEASE_S))
        self._keeper = board.link.start(script, self._stderr)
        self._ended = threading.Event()
        try:
            self.folder = decoded(self._first_line(), _Kept, board.link.thing).folder
        except BaseException:
            self.close()
            raise
        threading.Thread(target=self._beat, daemon=True).start()

    def send(self, samples: Samples) -> list[dict[str, str]]:
        """Write samples to the session's folder; their paths there, as a worker wants them.

        They pass through memory only: no file of them is left on this machine.
        """
        arrays, files = _packed(samples, self.folder)
        header = msgspec.json.encode([(name, len(data)) for name, data in arrays.items()])
        script = self._board.agent("extract", self.folder)
        timeout_s = 120.0 + sum(map(len, arrays.values())) / 50_000
        self._board.link.once(script, [header + b"\n", *arrays.values()], timeout_s)
        return files

    def worker(self, timeout_s: float) -> "BoardWorker":
        """A worker on the board; close it, or let the session's end take it."""
        run = self._board.python("-m", "edgekit.measure.worker", session=self.folder)
        # not exec: a shell says how a process ended, ssh does not; a watched folder that is gone
        # means that the keeper has ended the session while this process was being started
        script = f"test -d {shlex.quote(self.folder)} || exit 255; {run}; exit $?"
        command = self._board.link.transport.command(script)
        return self._stack.enter_context(BoardWorker(timeout_s, command, self))

    def lost(self, code: int | None, words: str) -> LinkLostError | None:
        """Why a worker's connection broke; None where the worker itself ended."""
        try:
            self._board.link.check(code or 0, words.encode())
        except LinkLostError as error:
            return error
        except EdgekitError:
            pass
        with suppress(subprocess.TimeoutExpired):
            self._keeper.wait(1.0)
        if self._keeper.returncode is None:
            return None
        return LinkLostError(self._board.link.thing, "the connection ended", "check it")

    def close(self) -> None:
        """End workers and keeper, and wait until the board has cleaned up."""
        self._ended.set()
        for pipe in (self._keeper.stdin,):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        with suppress(subprocess.TimeoutExpired):
            self._keeper.wait(END_S)
        end_session(self._keeper)
        if self._keeper.stdout is not None:
            self._keeper.stdout.close()
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _first_line(self) -> bytes:
        stdout: Any = self._keeper.stdout
        deadline = time.monotonic() + START_S
        line = b""
        with selectors.DefaultSelector() as selector:
            selector.register(stdout, selectors.EVENT_READ)
            while not line.endswith(b"\n"):
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise LinkLostError(self._board.link.thing, "no answer", "check it")
                part = stdout.read(1)
                if not part:
                    self._explain()
                line += part
        return line

    def _explain(self) -> None:
        self._stderr.seek(0)
        self._board.link.check(self._keeper.wait(), self._stderr.read())
        raise LinkLostError(self._board.link.thing, "the connection ended", "check it")

    def _beat(self) -> None:
        stdin: Any = self._keeper.stdin
        while not self._ended.wait(BEAT_S):
            try:
                stdin.write(b"\n")
            except (OSError, ValueError):  # the connection or this session has ended
                return


class BoardWorker(Worker):
    """The worker of `edgekit.measure.worker`, on a board; its end may be the connection's."""

    def __init__(self, timeout_s: float, command: list[str], session: Session) -> None:
        self._session = session
        super().__init__(timeout_s, command)

    def _crash(self, thing: str, when: str) -> EdgekitError:
        error = super()._crash(thing, when)
        return self._session.lost(self._process.returncode, self._last_words()) or error


def _packed(samples: Samples, folder: str) -> tuple[dict[str, bytes], list[dict[str, str]]]:
    """The .npy files of samples by name, and where a worker will find them."""
    arrays: dict[str, bytes] = {}
    files = []
    for number, sample in enumerate(samples.values[:MOST]):
        parts: Mapping[str, Any] = sample if isinstance(sample, Mapping) else {"": sample}
        paths = {}
        for place, (name, array) in enumerate(parts.items()):
            buffer: IO[bytes] = io.BytesIO()
            np.save(buffer, plain(array), allow_pickle=False)
            buffer.seek(0)
            arrays[f"{number}.{place}.npy"] = buffer.read()
            paths[name] = f"{folder}/{number}.{place}.npy"
        files.append(paths)
    return arrays, files
