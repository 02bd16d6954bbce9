"""What a search tried so far, and what of it deserves more work."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from edgekit_converters.recipes.recipe import Recipe
from edgekit_converters.search.candidate import Candidate

MOST_TEMPTING = 2
"""Cheap candidates over budget that are worth repairing: the cheapest ones."""
MUCH_CHEAPER = 0.97
"""Of the best in budget: what costs more than that is not worth repairing."""


@dataclass
class Tried:
    """What was tried so far, in order.

    Attributes:
        candidates: the clean fp32 model first.
        is_slow: whether cost is measured after scoring, so that it may be unknown.
    """

    candidates: list[Candidate] = field(default_factory=list)
    is_slow: bool = False

    def find(self, recipe: Recipe) -> Candidate | None:
        """What became of a recipe; None where it was not tried."""
        return next((each for each in self.candidates if each.recipe == recipe), None)

    def resolved(self, recipe: Recipe) -> Candidate | None:
        """What became of a recipe, or of the one that made the same model before."""
        found = self.find(recipe)
        if found is None or found.verdict != "twin":
            return found
        return next(each for each in self.candidates if each.sha256 == found.sha256)

    def best(self) -> Candidate:
        """The cheapest in budget on calibration; the clean model at worst."""
        found = [each for each in self.candidates if each.verdict == "in budget" and each.cost]
        return min(found, key=ratio_of, default=self.candidates[0])

    def tempting(self) -> list[Candidate]:
        """Over budget, but cheaper than the best in budget, the cheapest first."""
        limit = MUCH_CHEAPER * min(ratio_of(self.best()), 1.0)
        ratios = self._ratios()
        found = [
            each
            for each in self.candidates
            if each.verdict in ("over budget", "hopeless")
            and (ratios(each) < limit or (self.is_slow and ratios(each) == float("inf")))
        ]
        cheapest: dict[Recipe, Candidate] = {}
        for each in sorted(found, key=ratios):
            cheapest.setdefault(family(each.recipe), each)
        return list(cheapest.values())[:MOST_TEMPTING]

    def _ratios(self) -> Callable[[Candidate], float]:
        """Cost of a candidate; where it was not measured: of another one of its arithmetic.

        Infinite where nothing of its kind was measured.
        """
        known: dict[Recipe, float] = {}
        for each in self.candidates:
            if each.cost is not None:
                known.setdefault(arithmetic(each.recipe), each.cost.ratio)

        def ratio(candidate: Candidate) -> float:
            if candidate.cost is not None:
                return candidate.cost.ratio
            return known.get(arithmetic(candidate.recipe), float("inf"))

        return ratio

    def closest(self, recipe: Recipe) -> Candidate | None:
        """Of the same arithmetic and over budget: the one that loses least on calibration."""
        found = [
            (each.calibration.drop.point, number, each)
            for number, each in enumerate(self.candidates)
            if family(each.recipe) == family(recipe)
            and each.verdict == "over budget"
            and each.calibration is not None
        ]
        return min(found)[-1] if found else None


def family(recipe: Recipe) -> Recipe:
    """What costs the same: the recipe without what only changes its numbers."""
    return replace(recipe, ranges="minmax", repairs=(), keep=())


def arithmetic(recipe: Recipe) -> Recipe:
    """The recipe without what only changes its numbers, scales of weights included."""
    return replace(family(recipe), per_channel=False, seven_bit=False)


def ratio_of(candidate: Candidate) -> float:
    """Its cost; infinite where it was not measured."""
    return candidate.cost.ratio if candidate.cost else float("inf")
