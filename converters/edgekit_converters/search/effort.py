"""How much CPU time a search may take, and what it took: its own and its processes'."""

import resource
import time
from dataclasses import dataclass, field

CPU_S = 70.0
"""Of starting new candidates; judging finalists and packing come on top."""


def used_cpu_s() -> float:
    """CPU seconds of this process and of those it waited for."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


@dataclass(frozen=True)
class Effort:
    """A limit in CPU seconds.

    Attributes:
        limit_s: after it no new candidate is started.
        started_s: what was used before.
    """

    limit_s: float = CPU_S
    started_s: float = field(default_factory=used_cpu_s)

    @property
    def spent_s(self) -> float:
        """CPU seconds so far."""
        return used_cpu_s() - self.started_s

    @property
    def is_over(self) -> bool:
        """Whether the limit is reached."""
        return self.spent_s >= self.limit_s
