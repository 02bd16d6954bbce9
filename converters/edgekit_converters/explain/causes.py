"""Why a candidate fails: classes of causes, each a rule over measured facts that gives its proof.

A rule returns a sentence with the figures that make it so, or None. The first that holds is the
cause; where none does, the honest answer is `UNEXPLAINED`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from edgekit_converters.explain.shift import Shift
from edgekit_converters.explain.state import State
from edgekit_converters.explain.trace import HURTING_DB, Rounding, Step
from edgekit_converters.recipes.recipe import Recipe
from edgekit_converters.sensitivity.closeness import decibels
from edgekit_converters.sensitivity.sensitivity import LayerError

UNEXPLAINED = "unexplained"
TAILED = ("HardSigmoid", "Sigmoid", "Softmax")
RECURRENT = frozenset({"DynamicQuantizeLSTM", "GRU", "LSTM", "RNN"})
FAR, FARTHER = 4.0, 8.0
"""Times the 1 % and 99 % percentiles that the largest value reaches: doubtful, and an outlier."""
COARSE_DB = 28.0
"""Rounding that costs more is a cause; a bell curve in 8 bits has 40 dB."""
LOST, MOSTLY_LOST = 0.25, 0.5
"""Shares of a tensor's values that round to zero."""
UNEQUAL = 4.0
"""The largest channel over the smallest: a shared scale takes two of the smallest one's bits."""
SURPLUS_DB = 6.0
"""Noise that is four times what the parts explain."""
USABLE_DB = 10.0
"""With less than that at a single call, no state is needed to explain what is lost."""
OVERFLOWING = 0.01


@dataclass(frozen=True)
class Facts:
    """What is known of a candidate that loses accuracy.

    Attributes:
        recipe: how it was made.
        start: the node where its error starts; None where no node loses anything.
        layer: that node's own errors, if it multiplies.
        overflowing: share of its pairs of products that overflow on the target; 0 where none can.
        merged: the first node that reads integers of the model's inputs as too few numbers.
        state: what the task carries from call to call, if anything.
        shift: where evaluation data leaves the calibrated ranges, if that was looked at.
        output_db: signal over noise of the worst output.
    """

    recipe: Recipe
    start: Step | None
    layer: LayerError | None = None
    overflowing: float = 0.0
    merged: Step | None = None
    state: State | None = None
    shift: Shift | None = None
    output_db: float | None = None

    @property
    def sides(self) -> dict[str, float]:
        """Signal over noise of whatever is rounded at the start, each alone."""
        found = {}
        if self.layer is not None and self.layer.is_quantized:
            found["its inputs"] = self.layer.activations_db
            if self.layer.weights_db is not None:
                found["its weights"] = self.layer.weights_db
        elif self.start is not None and self.start.inputs:
            found["its inputs"] = min(each.db for each in self.start.inputs)
        if self.start is not None and self.start.output is not None:
            found["its output"] = self.start.output.db
        return found

    @property
    def blamed(self) -> str:
        """The side that loses most."""
        sides = self.sides
        return min(sides, key=lambda side: sides[side]) if sides else ""

    @property
    def roundings(self) -> tuple[Rounding, ...]:
        """Every activation that is rounded at the start."""
        if self.start is None:
            return ()
        return (*self.start.inputs, *((self.start.output,) if self.start.output else ()))


Found: TypeAlias = tuple[str, str] | None
"""The node where it happens, empty for the start, and the proof."""
Rule: TypeAlias = Callable[[Facts], Found]


@dataclass(frozen=True)
class Cause:
    """A class of causes.

    Attributes:
        name: what it is called.
        rule: gives the proof, or None.
        answers: whether a recipe, against the one that failed, does something about it.
        advice: what is left to do, a sentence; `{layer}` stands for the layers to keep.
        is_local: whether the rule can be asked of any layer, so that others may share the cause.
    """

    name: str
    rule: Rule
    answers: Callable[[Recipe, Recipe], bool]
    advice: str = field(repr=False, default="")
    is_local: bool = False


def unlike_calibration(facts: Facts) -> Found:
    """Evaluation reaches beyond what calibration saw."""
    found = facts.shift
    if found is None:
        return None
    what = "its first half saw far less" if found.is_too_small else "both its halves agree"
    return found.node, (
        f"on evaluation {found.tensor!r} reaches {_range(found.seen.low, found.seen.high)}, on "
        f"calibration {_range(found.calibrated.low, found.calibrated.high)}: {found.factor:.1f} "
        f"times as far ({found.samples} samples each; of calibration {what}); beyond is cut off"
    )


def integers_merge(facts: Facts) -> Found:
    """Integers that the model reads share one number."""
    if facts.merged is None:
        return None
    each = merged_integers(facts.merged)[0]
    return facts.merged.node, (
        f"input {each.integers!r} is made of integers from {each.facts.low:g} to "
        f"{each.facts.high:g}; in 8 bits a step is {each.step:.3g}, so that {each.step:.0f} of "
        "them become one"
    )


def merged_integers(step: Step) -> list[Rounding]:
    """What a node rounds of integers so that neighbours become one."""
    every = (*step.inputs, *((step.output,) if step.output else ()))
    return [each for each in every if each.integers and each.step > 1]


def saturates(facts: Facts) -> Found:
    """The error is larger than rounding explains, and products overflow on this CPU."""
    if facts.overflowing < OVERFLOWING or facts.start is None or facts.layer is None:
        return None
    parts = (*facts.sides.values(), facts.start.before_db)
    expected = decibels(1.0, sum(10 ** (-db / 10) for db in parts))
    if facts.start.db > expected - SURPLUS_DB:
        return None
    return "", (
        f"rounding explains {expected:.1f} dB, measured are {facts.start.db:.1f}; "
        f"{facts.overflowing:.0%} of its pairs of u8·s8 products overflow 16 bits on this CPU"
    )


def tail_is_lost(facts: Facts) -> Found:
    """Small probabilities round to zero."""
    for each in facts.roundings:
        is_tail = each.maker in TAILED
        if is_tail and each.lost_share >= LOST:
            return "", (
                f"{each.facts.name!r} comes from {each.maker}, its median is "
                f"{each.facts.percentiles[2]:.2g} and a step {each.step:.2g}: "
                f"{each.lost_share:.0%} of its values round to zero"
            )
    return None


def one_scale_for_all(facts: Facts) -> Found:
    """Channels of unequal reach share a scale."""
    layer = facts.layer
    if layer is None or layer.weights_db is None or layer.channel_spread is None:
        return None
    if facts.recipe.per_channel or facts.blamed != "its weights":
        return None
    if layer.channel_spread < UNEQUAL:
        return None
    kind = "depthwise " if layer.is_depthwise else ""
    return "", (
        f"one scale for all {kind}channels, the largest reaches {_times(layer.channel_spread)} the "
        f"smallest: with weights rounded alone {layer.weights_db:.1f} dB, with inputs alone "
        f"{layer.activations_db:.1f}"
    )


def outlier_takes_the_range(facts: Facts) -> Found:
    """A few large values leave no steps to the others."""
    layer = facts.layer
    for each in sorted(facts.roundings, key=lambda each: -each.lost_share):
        far, lost = each.facts.outlier_ratio, each.lost_share
        if (far >= FARTHER and lost >= LOST) or (
            far >= FAR and (lost >= MOSTLY_LOST or each.db < COARSE_DB)
        ):
            return "", (
                f"{each.facts.name!r} reaches {far:.0f} times its 99 % percentile: in steps of "
                f"{each.step:.2g}, {lost:.0%} of its values round to zero ({each.db:.1f} dB)"
            )
    if layer is None or layer.weights_db is None or not layer.is_quantized:
        return None
    if facts.blamed == "its weights" and layer.weights_db < COARSE_DB:
        return "", (
            f"a few of its weights take the range: {layer.weights_db:.1f} dB with weights rounded "
            f"alone, {layer.activations_db:.1f} with inputs alone"
        )
    found = layer.input
    if facts.blamed == "its inputs" and found is not None and found.outlier_ratio >= FARTHER:
        return "", (
            f"{found.name!r} reaches {found.outlier_ratio:.0f} times its 99 % percentile: "
            f"{layer.activations_db:.1f} dB with inputs rounded alone"
        )
    return None


def state_builds_up(facts: Facts) -> Found:
    """An error comes back through the state, or starts where a state is kept."""
    found = facts.state
    if (
        found is not None
        and found.forced_db >= USABLE_DB
        and found.free_db <= min(found.forced_db - SURPLUS_DB, HURTING_DB)
    ):
        return found.node, (
            f"{found.output!r} goes back into {found.input!r}: with the float model's state at "
            f"each call its outputs keep {found.forced_db:.1f} dB, with its own "
            f"{found.free_db:.1f} over {found.calls} calls"
        )
    if facts.start is not None and facts.start.holds & RECURRENT:
        return "", (
            f"{min(facts.start.holds & RECURRENT)} takes {facts.start.before_db:.1f} dB in and "
            f"gives {facts.start.db:.1f} dB: what it keeps of earlier steps adds up"
        )
    return None


def _other_ranges(tried: Recipe, failed: Recipe) -> bool:
    changed = tried.ranges != failed.ranges or set(tried.repairs) - set(failed.repairs)
    return bool(changed) or bool(tried.keep)


def _per_channel(tried: Recipe, failed: Recipe) -> bool:
    return tried.per_channel or "equalize" in tried.repairs or bool(tried.keep)


def _fewer_bits(tried: Recipe, failed: Recipe) -> bool:
    return tried.seven_bit or bool(tried.keep)


def _keeps(tried: Recipe, failed: Recipe) -> bool:
    return bool(tried.keep) or tried.operators != failed.operators


CAUSES: tuple[Cause, ...] = (
    Cause(
        "calibration unlike evaluation",
        unlike_calibration,
        _other_ranges,
        "add calibration samples of the kind that evaluation has",
    ),
    Cause("integer input", integers_merge, _keeps, "keep {layer} float"),
    Cause("saturation", saturates, _fewer_bits, "use 7-bit weights (`…_7bit`)"),
    Cause("softmax or sigmoid tail", tail_is_lost, _keeps, "keep {layer} float", is_local=True),
    Cause("recurrent state", state_builds_up, _keeps, "keep {layer} and what feeds it float"),
    Cause(
        "per-tensor weights",
        one_scale_for_all,
        _per_channel,
        "one scale for each channel (`…_perchannel`)",
    ),
    Cause(
        "range outlier", outlier_takes_the_range, _other_ranges, "keep {layer} float", is_local=True
    ),
)
"""The most specific first: the first whose rule holds is named."""


def cause_of(facts: Facts) -> tuple[Cause | None, str, str]:
    """The first cause that holds, where, and its proof; None with what is known where none does."""
    start = facts.start.node if facts.start is not None else ""
    for cause in CAUSES:
        found = cause.rule(facts)
        if found is not None:
            return cause, found[0] or start, found[1]
    if facts.start is None:
        return None, start, "no layer loses anything that can be measured"
    sides = ", ".join(f"{side} {db:.1f} dB" for side, db in facts.sides.items())
    told = f" (rounded alone: {sides})" if sides else ""
    return (
        None,
        start,
        (
            f"it falls from {facts.start.before_db:.1f} to {facts.start.db:.1f} dB there{told}, "
            "and no class of causes fits"
        ),
    )


def _range(low: float, high: float) -> str:
    return f"{low:.3g} to {high:.3g}"


def _times(factor: float) -> str:
    return f"{factor:.0f} times" if factor < 1000 else "over 1000 times"
