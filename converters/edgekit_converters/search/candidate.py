"""One thing that was tried: how it was made, what it costs, how good it is, what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from edgekit.errors import InternalError
from edgekit.measure.accuracy import Drop
from edgekit_converters.costs.cost import Cost
from edgekit_converters.recipes.recipe import Recipe

Verdict: TypeAlias = Literal[
    "untried",  # a stage is still to come
    "baseline",
    "not tried",  # it makes no sense on this CPU or for this model, or there was no time
    "not made",
    "twin",  # the same bytes as an earlier one
    "hopeless",  # nothing like fp32's outputs: neither measured nor scored
    "not cheaper",
    "over budget",
    "in budget",  # but another was chosen
    "size only",  # sparse: smaller to send, neither faster nor smaller on the device
    "not certified",  # in budget by the estimate, not by its bound
    "chosen",
]


@dataclass(frozen=True)
class Judged:
    """Its score on one split, and the paired drop against the model that came, there."""

    score: float
    drop: Drop


@dataclass(frozen=True)
class Candidate:
    """A model made by a recipe. Stages fill it in with `dataclasses.replace`.

    Attributes:
        recipe: how it was made.
        verdict: what became of it.
        why: the reason, one sentence with the figures.
        path: its file; None where it was not made.
        size_bytes: of the file.
        sha256: of its content.
        lowered: how many operators of each type compute in the new precision.
        kept: nodes that the recipe covers and that stayed float, with the reason.
        closeness_db: signal to noise of its closest output against fp32's, in dB.
        note: what was done before, such as widths that were narrowed.
        cost: against the model that came.
        calibration: on the split that chose among candidates.
        evaluation: on the split that judges finalists; None for all others.
    """

    recipe: Recipe
    verdict: Verdict = "untried"
    why: str = ""
    path: Path | None = None
    size_bytes: int | None = None
    sha256: str | None = None
    lowered: Mapping[str, int] = field(default_factory=dict)
    kept: Mapping[str, str] = field(default_factory=dict)
    closeness_db: float | None = None
    note: str = ""
    cost: Cost | None = None
    calibration: Judged | None = None
    evaluation: Judged | None = None

    @property
    def file(self) -> Path:
        """Its file.

        Raises:
            InternalError: it was not made.
        """
        if self.path is None:
            raise InternalError(f"candidate {self.recipe}", "it was not made", "report this")
        return self.path

    @property
    def judged(self) -> Judged | None:
        """The figures that count most: evaluation where there are any."""
        return self.evaluation or self.calibration


def one_line(candidate: Candidate) -> str:
    """`int8_static_all: in budget, 0.54× [0.52, 0.56], drop 0.30 [-0.10, 0.70]`."""
    parts: list[str] = [candidate.verdict]
    if candidate.cost is not None:
        parts.append(describe_cost(candidate.cost))
    if candidate.judged is not None:
        parts.append(describe_drop(candidate.judged.drop))
    if candidate.verdict in ("not made", "hopeless"):
        parts.append(candidate.why)
    return f"{candidate.recipe}: {', '.join(parts)}"


def describe_cost(cost: Cost) -> str:
    """`0.54× [0.52, 0.56]`."""
    return f"{cost.ratio:.2f}× [{cost.low:.2f}, {cost.high:.2f}]"


def describe_drop(drop: Drop) -> str:
    """`drop 0.30 [-0.10, 0.70]`: hundredths of the score."""
    return f"drop {drop.point * 100:z.2f} [{drop.low * 100:z.2f}, {drop.high * 100:z.2f}]"
