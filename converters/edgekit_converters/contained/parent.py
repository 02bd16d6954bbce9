"""The parent: starts the child, passes on what it tells, and starts it again where it ended."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from edgekit.errors import CrashError
from edgekit_converters.contained.events import (
    Advanced,
    Event,
    Failed,
    Finished,
    Risked,
    Started,
    show,
)
from edgekit_converters.contained.risks import WAY_OUT, Risks
from edgekit_converters.progress import Progress

COMMAND = (sys.executable, "-P", "-m", f"{__package__}.process")  # -P: not the caller's folder
PATIENCE_S = 10.0
"""For a child that was told to end and cleans up."""
MOST_BYTES = 1 << 16
ENDED_BY_HAND = (-signal.SIGINT, -signal.SIGTERM, -signal.SIGHUP)
T = TypeVar("T")
Work: TypeAlias = Callable[[Risks, Progress], T]


@dataclass(frozen=True)
class Asked:
    """What a child does.

    Attributes:
        work: a function of a module, with arguments that pickle.
        refused: see `Risks`.
        spent_s: see `Risks`.
    """

    work: Work[Any]
    refused: Mapping[str, str]
    spent_s: float


@dataclass
class Watched:
    """What a child told last."""

    stage: str = "loading"
    done: int | None = None
    thing: str | None = None
    outcome: Finished | Failed | None = None
    said: bytes = field(default=b"", repr=False)

    def take(self, event: Event) -> None:
        """One more event."""
        if isinstance(event, Started):
            self.stage, self.done = event.stage, None
        elif isinstance(event, Advanced):
            self.done = event.done
        elif isinstance(event, Risked):
            self.thing = event.thing
        elif isinstance(event, Finished | Failed):
            self.outcome = event

    def problem(self, code: int) -> str:
        """How and over what it ended."""
        from edgekit.measure.process import how_it_ended

        at = "" if self.done is None else f", at sample {self.done}"
        lines = self.said.decode(errors="replace").strip().splitlines()
        last = f": {lines[-1].strip()[:200]}" if lines else ""
        return f"its process ended while {self.stage}{at} ({how_it_ended(code)}{last})"


def contained(work: Work[T], model: Path, folder: Path, progress: Progress) -> T:
    """Do work in a child, and again without each thing that ended it.

    Args:
        work: keeps what it found out, so that the next process goes on from there.
        model: what an error names.
        folder: for the child's temporary files; whoever made it removes it.
        progress: is told what the child tells.

    Raises:
        CrashError: the process ended over something that the work cannot do without.
        Exception: whatever the work raised.
    """
    refused: dict[str, str] = {}
    forgiven: set[str | None] = set()
    before_s = _children_s()
    while True:
        asked = Asked(work, refused, _children_s() - before_s)
        watched, code = _watch(asked, folder, progress)
        if isinstance(watched.outcome, Failed):
            raise watched.outcome.error
        if watched.outcome is not None:
            found: T = watched.outcome.value
            return found
        if code in ENDED_BY_HAND:
            raise KeyboardInterrupt
        problem = watched.problem(code)
        if code == -signal.SIGKILL and watched.thing not in forgiven:  # memory ran out, or a hand
            forgiven.add(watched.thing)
            progress.note(f"{problem}; once more")
        elif watched.thing is None or watched.thing in refused:
            raise CrashError(f"model {str(model)!r}", problem, WAY_OUT)
        else:
            refused[watched.thing] = problem
            progress.note(f"{watched.thing}: {problem}; going on without it")


def _watch(asked: Asked, folder: Path, progress: Progress) -> tuple[Watched, int]:
    """Run one child to its end; returns what it told, and its return code."""
    watched = Watched()
    with _child(folder) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stderr is not None
        with suppress(BrokenPipeError):
            Connection(os.dup(child.stdin.fileno()), readable=False).send(asked)
        answers: Connection[Any, Event] = Connection(os.dup(child.stdout.fileno()), writable=False)
        printed = child.stderr.fileno()
        ends: list[Any] = [answers, printed]
        while answers in ends:
            ready = wait(ends)
            if printed in ready and not _pass_on(printed, watched):
                ends.remove(printed)
            if answers in ready and not _hear(answers, watched, progress):
                ends.remove(answers)
        while wait([printed], 0.0) and _pass_on(printed, watched):
            pass
        if watched.outcome is None:
            with suppress(subprocess.TimeoutExpired):
                child.wait(PATIENCE_S)
    return watched, child.returncode


def _hear(answers: "Connection[Any, Event]", watched: Watched, progress: Progress) -> bool:
    """One event; whether there may be more."""
    try:
        event = answers.recv()
    except (EOFError, OSError):
        return False
    watched.take(event)
    show(event, progress)
    return watched.outcome is None


def _pass_on(printed: int, watched: Watched) -> bool:
    """What it printed; whether there may be more."""
    part = os.read(printed, MOST_BYTES)
    watched.said = (watched.said + part)[-4096:]
    sys.stderr.write(part.decode(errors="replace"))
    return bool(part)


@contextmanager
def _child(folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A child that is gone afterwards, in a session of its own: Ctrl-C reaches the parent alone."""
    child = subprocess.Popen(
        COMMAND,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        env={**os.environ, "TMPDIR": str(folder)},
        bufsize=0,
    )
    try:
        yield child
    finally:
        end(child)
        for pipe in (child.stdin, child.stdout, child.stderr):
            if pipe is not None:
                pipe.close()


def end(child: "subprocess.Popen[bytes]") -> None:
    """Let a child that runs clean up, then end what is left of it."""
    if child.stdin is not None:
        child.stdin.close()
    with suppress(subprocess.TimeoutExpired):
        child.wait(PATIENCE_S)
    if child.returncode is None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _children_s() -> float:
    """CPU seconds of all processes that were waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
