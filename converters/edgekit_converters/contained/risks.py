"""What may end the process of a search, and what did so before."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import TypeVar

from edgekit.errors import CrashError

WAY_OUT = "run it alone with onnxruntime to see why, and export it without what ends it"
T = TypeVar("T")


def _to_nobody(thing: str | None) -> None:
    """Nothing."""


@dataclass(frozen=True)
class Risks:
    """Asked before a thing is run that a search can do without.

    Attributes:
        refused: what ended an earlier process of the same search, and how.
        spent_s: CPU seconds of those processes.
        tell: told what is at risk now; None where the search cannot do without it.
    """

    refused: Mapping[str, str] = field(default_factory=dict)
    spent_s: float = 0.0
    tell: Callable[[str | None], None] = _to_nobody

    def take(self, thing: str) -> None:
        """The thing is run from now on, until the next one is.

        Raises:
            CrashError: it ended an earlier process.
        """
        if thing in self.refused:
            raise CrashError(thing, self.refused[thing], WAY_OUT)
        self.tell(thing)

    def rest(self) -> None:
        """Nothing is at risk now that the search could do without."""
        self.tell(None)

    def each(self, maker: str, items: Iterator[T], cut: list[str]) -> Iterator[T]:
        """The items, up to one whose making ended an earlier process: why is added to `cut`."""
        for number in count(1):
            try:
                self.take(f"{maker}, step {number}")
            except CrashError as error:
                cut.append(f"{error.thing}: {error.problem}")
                return
            try:
                item = next(items)
            except StopIteration:
                return
            yield item
