"""What a search must keep to."""

from dataclasses import dataclass

from edgekit.errors import UsageError
from edgekit.measure.accuracy import Drop


@dataclass(frozen=True)
class Goal:
    """What must hold on the evaluation split.

    Attributes:
        max_drop: of the score against clean fp32, 0 to 1: the paired point estimate.
        certify: ask it of the one-sided 95 % bound of the drop instead.
    """

    max_drop: float = 0.01
    certify: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.max_drop <= 1:
            problem = "a drop of the score lies between 0 and 1"
            raise UsageError(f"max-drop {self.max_drop:g}", problem, "one point is 0.01")

    def holds(self, drop: Drop) -> bool:
        """Whether a drop is within the goal."""
        return (drop.upper if self.certify else drop.point) <= self.max_drop
