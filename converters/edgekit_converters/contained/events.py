"""What a child tells its parent, one pickled object at a time."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from edgekit_converters.progress import Progress


@dataclass(frozen=True)
class Started:
    """See `Progress.start`."""

    stage: str
    total: int | None


@dataclass(frozen=True)
class Advanced:
    """See `Progress.advance`."""

    done: int


@dataclass(frozen=True)
class Noted:
    """See `Progress.note`."""

    line: str


@dataclass(frozen=True)
class Risked:
    """What the search could do without and runs now; None where there is no such thing."""

    thing: str | None


@dataclass(frozen=True)
class Finished:
    """What the work returned."""

    value: Any


@dataclass(frozen=True)
class Failed:
    """What it raised."""

    error: Exception


Event: TypeAlias = Started | Advanced | Noted | Risked | Finished | Failed


class Teller:
    """A `Progress` whose every event is sent.

    Args:
        send: to the parent.
    """

    def __init__(self, send: Callable[[Event], None]) -> None:
        self._send = send

    def start(self, stage: str, total: int | None) -> None:
        """See `Progress`."""
        self._send(Started(stage, total))

    def advance(self, done: int) -> None:
        """See `Progress`."""
        self._send(Advanced(done))

    def note(self, line: str) -> None:
        """See `Progress`."""
        self._send(Noted(line))


def show(event: Event, progress: Progress) -> None:
    """Pass on what a `Teller` sent."""
    if isinstance(event, Started):
        progress.start(event.stage, event.total)
    elif isinstance(event, Advanced):
        progress.advance(event.done)
    elif isinstance(event, Noted):
        progress.note(event.line)
