"""How much CPU time a search may take, and what it took: its own and its processes'."""

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

CPU_S = 110.0
"""Of a whole search, from the model's first run to the packed bundle."""
PACKING_S = 4.0
"""Two bundles with goldens and reference, the report: 1 to 3 s on the models of the benchmark."""


def used_cpu_s() -> float:
    """CPU seconds of this process and of those it waited for."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


@dataclass(frozen=True)
class Effort:
    """A limit in CPU seconds, and what each part of the work takes.

    Attributes:
        limit_s: of everything.
        started_s: what was used before.
    """

    limit_s: float = CPU_S
    started_s: float = field(default_factory=used_cpu_s)
    _taken_s: dict[str, list[float]] = field(default_factory=dict, repr=False, compare=False)

    @property
    def spent_s(self) -> float:
        """CPU seconds so far."""
        return used_cpu_s() - self.started_s

    @contextmanager
    def timing(self, part: str, without: str = "") -> Iterator[None]:
        """Remember what a part of the work takes, without another part that happens in it."""
        before_s, others_s = used_cpu_s(), sum(self._taken_s.get(without, []))
        yield
        others_s = sum(self._taken_s.get(without, [])) - others_s
        self._taken_s.setdefault(part, []).append(used_cpu_s() - before_s - others_s)

    def usual_s(self, part: str) -> float:
        """What this part took on average; 0 where it was not done yet."""
        taken_s = self._taken_s.get(part, [])
        return sum(taken_s) / len(taken_s) if taken_s else 0.0

    def has_room(self, *seconds: float) -> bool:
        """Whether so much more, one after the other, ends before the limit."""
        return self.spent_s + sum(seconds) < self.limit_s
