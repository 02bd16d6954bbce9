"""A verdict: what became of one limit, with the figures behind it."""

from enum import Enum

from msgspec import Struct


class Outcome(Enum):
    """What became of a limit. INCONCLUSIVE is never a pass: something is missing, and is named."""

    PASS = "PASS"
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"


class Verdict(Struct, frozen=True, omit_defaults=True):
    """The verdict on one limit.

    Attributes:
        budget: which limit, as `table.key`.
        outcome: PASS, FAIL or INCONCLUSIVE.
        limit: the limit; None for a condition that has no number, such as that the model runs.
        unit: of limit, value, low and high: `ms`, `MB`, `ratio`, `score`, `share` or "".
        value: the point estimate.
        low: lower end of what the value may be.
        high: upper end of it.
        confidence: what low and high are.
        samples: how many samples the figures rest on.
        reason: one sentence that says why.
        against: which baseline, where there are several.
        device: which emulated CPU, where there are several.
    """

    budget: str
    outcome: Outcome
    limit: float | str | None
    unit: str
    reason: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    confidence: str | None = None
    samples: int | None = None
    against: str | None = None
    device: str | None = None

    @property
    def title(self) -> str:
        """The limit, with baseline and device where there are several."""
        against = f" against {self.against}" if self.against else ""
        return f"{self.budget}{against}" + (f" on {self.device}" if self.device else "")


def overall(verdicts: tuple[Verdict, ...]) -> Outcome:
    """FAIL if any failed, else INCONCLUSIVE if any is, else PASS."""
    outcomes = {verdict.outcome for verdict in verdicts}
    for outcome in (Outcome.FAIL, Outcome.INCONCLUSIVE):
        if outcome in outcomes:
            return outcome
    return Outcome.PASS
