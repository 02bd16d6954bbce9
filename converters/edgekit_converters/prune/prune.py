"""A clean model and real inputs → a smaller model of the same form, or a refusal."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import onnx
from onnx import ModelProto

from edgekit.engines import Array
from edgekit.errors import ModelError
from edgekit_converters.passes.contract import largest_error
from edgekit_converters.prune.allocate import allocate, ledger
from edgekit_converters.prune.ranking import Scene, rank
from edgekit_converters.prune.reconstruct import Fit, Pair, reconstruct
from edgekit_converters.prune.remove import with_initializers, with_zeroed, without_units
from edgekit_converters.prune.rules import RULES
from edgekit_converters.prune.trace import follow

WAY_OUT = "leave its channels as they are"
TOLERANCE = 1e-4
"""Of the removal, as a share of an output's largest magnitude: sums in another order."""
CHECKED = 2
"""Inputs on which the removal is checked."""


@dataclass(frozen=True)
class Pruned:
    """What pruning made.

    Attributes:
        model: the smaller model.
        saved: of the multiplications of layers that mix channels, 0 to 1; may be less than asked.
        widths: of each group that lost channels, by its first tensor: (before, after).
        left_alone: of each group that could not lose any, the reason.
        fits: what least squares did, layer by layer.
    """

    model: ModelProto
    saved: float
    widths: Mapping[str, tuple[int, int]]
    left_alone: Mapping[str, str]
    fits: tuple[Fit, ...]


def prune(
    model: ModelProto,
    feeds: Sequence[Mapping[str, Array]],
    share: float,
    *,
    align: int = 8,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> Pruned:
    """Take channels out of a clean model.

    Args:
        model: clean fp32; is not changed.
        feeds: real inputs; 32 to 64 are enough for the fits.
        share: of the multiplications to save, 0 to 1.
        align: every width that changes becomes a multiple of it.
        seed: of the choice of rows.
        progress: told what is going on.

    Raises:
        ModelError: no channel can go, or the smaller model is not the function it should be.
    """
    tell = progress or (lambda _what: None)
    whole = with_initializers(model)
    trace = follow(whole, feeds[0], RULES)
    groups = trace.units.groups()
    left_alone = {each.name: each.kept_because for each in groups if each.kept_because}
    free = [each for each in groups if each.kept_because is None]
    tell("ranking channels")
    removed, saved = allocate(rank(Scene(whole, trace, feeds), free, align), ledger(trace), share)
    if not removed:
        raise ModelError("pruning", _nothing(left_alone, align), WAY_OUT)
    smaller = without_units(whole, trace, removed)
    check(smaller, with_zeroed(whole, trace, removed), feeds)
    fits = []
    for fit in reconstruct(Pair(whole, smaller, trace, removed), feeds, seed):
        tell(f"fitting {fit.layer}")
        fits.append(fit)
    widths = {}
    for group in free:
        gone = len(removed.intersection(group.units)) * group.share
        if gone:
            widths[group.name] = (group.width, group.width - gone)
    return Pruned(smaller, saved, widths, left_alone, tuple(fits))


def check(smaller: ModelProto, zeroed: ModelProto, feeds: Sequence[Mapping[str, Array]]) -> None:
    """Hold the smaller model to its promise: it is the one in which nobody heard those channels.

    Raises:
        ModelError: it is not valid, does not run, or is another function.
    """
    thing = "pruning"
    try:
        onnx.checker.check_model(smaller)
        error = largest_error(zeroed, smaller, feeds[:CHECKED])
    except (ModelError, onnx.checker.ValidationError) as broken:
        problem = f"the smaller model does not run: {broken}"
        raise ModelError(thing, problem, WAY_OUT) from broken
    if not error <= TOLERANCE:
        problem = f"the smaller model differs by {error:.2g} from the one without those channels"
        raise ModelError(thing, problem, WAY_OUT)


def _nothing(left_alone: Mapping[str, str], align: int) -> str:
    reason = next(iter(left_alone.values()), f"no layer is wider than {align} channels")
    return f"no channel can go: {reason}"
