"""What a long job tells while it works. Printing is the caller's: these are the events."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol


class Progress(Protocol):
    """Told what is done, stage by stage."""

    def start(self, stage: str, total: int | None) -> None:
        """A stage begins; `total` steps are expected, None where nobody knows."""

    def advance(self, done: int) -> None:
        """So many steps of the stage are done."""

    def note(self, line: str) -> None:
        """Something worth a line, such as a candidate's figures."""


class Silent:
    """Tells nobody."""

    def start(self, stage: str, total: int | None) -> None:
        """Nothing."""

    def advance(self, done: int) -> None:
        """Nothing."""

    def note(self, line: str) -> None:
        """Nothing."""


class PlainLines:
    """One line when a stage begins and one for each note, for logs.

    Args:
        write: takes a line without its newline.
    """

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write

    def start(self, stage: str, total: int | None) -> None:
        """A line."""
        self._write(stage if total is None else f"{stage} ({total})")

    def advance(self, done: int) -> None:
        """Nothing: a log is no place for bars."""

    def note(self, line: str) -> None:
        """A line."""
        self._write(f"  {line}")


class Bar:
    """A bar that moves, on a terminal. Made by `terminal_progress`."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as RichProgress

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        self.bars = RichProgress(*columns, console=Console(stderr=True), transient=True)
        self._bar = self.bars.add_task("", total=None)

    def start(self, stage: str, total: int | None) -> None:
        """Begin anew."""
        self.bars.reset(self._bar, description=stage, total=total)

    def advance(self, done: int) -> None:
        """Move to `done`."""
        self.bars.update(self._bar, completed=done)

    def note(self, line: str) -> None:
        """Print above the bar."""
        self.bars.console.print(line, highlight=False, markup=False)


@contextmanager
def terminal_progress() -> Iterator[Progress]:
    """A bar on stderr for as long as the context lasts."""
    bar = Bar()
    with bar.bars:
        yield bar
