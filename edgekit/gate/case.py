"""One question to a judge: a limit's evidence, against one baseline, on one emulated CPU."""

from collections.abc import Callable
from dataclasses import dataclass

from edgekit.budget import Budget
from edgekit.gate.evidence import Evidence
from edgekit.gate.verdict import Outcome, Verdict

ONE_SIDED = "one-sided 95 % bounds"


@dataclass(frozen=True)
class Case:
    """What a judge looks at.

    Attributes:
        evidence: everything measured.
        budget: every limit, for those that are judged together.
        baseline: number of the baseline.
        device: number of the emulated CPU.
    """

    evidence: Evidence
    budget: Budget = Budget()  # noqa: RUF009 - frozen
    baseline: int = 0
    device: int = 0


Judge = Callable[[str, float, Case], Verdict]


def missing(name: str, limit: float | str, unit: str, what: str) -> Verdict:
    """INCONCLUSIVE, and what is missing."""
    return Verdict(name, Outcome.INCONCLUSIVE, limit, unit, what)


def at_most(low: float, high: float, limit: float) -> Outcome:
    """An upper limit on something that lies between low and high."""
    if high <= limit:
        return Outcome.PASS
    return Outcome.FAIL if low > limit else Outcome.INCONCLUSIVE


def at_least(low: float, high: float, limit: float) -> Outcome:
    """A lower limit on something that lies between low and high."""
    if low >= limit:
        return Outcome.PASS
    return Outcome.FAIL if high < limit else Outcome.INCONCLUSIVE
