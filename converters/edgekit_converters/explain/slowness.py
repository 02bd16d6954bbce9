"""Why a candidate is not cheaper: what the runtime left between conversions, what runs slower."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from edgekit_converters.recipes.fusion import CONVERSIONS, INTEGER
from edgekit_converters.recipes.recipe import Recipe

MUCH = 0.15
"""Of a candidate's time in conversions."""
SLOWER = 1.1
"""Times in a profile are not better than that."""
SIDE_WORK = frozenset({*CONVERSIONS, "Cast", "DynamicQuantizeLinear", "ReorderInput",
                       "ReorderOutput"})  # fmt: skip
FLOAT = ("Conv", "FusedConv", "FusedGemm", "FusedMatMul", "Gemm", "LSTM", "MatMul")


@dataclass(frozen=True)
class Slowness:
    """What is known of a candidate that is not cheaper.

    Attributes:
        recipe: how it was made.
        ratio: its cost over that of the model that came.
        unfused: arithmetic meant for int8 that runs in float, output tensor to operator type.
        conversions: QuantizeLinear and DequantizeLinear that are left.
        before_us: microseconds by operator type of the clean model; empty where not profiled.
        after_us: of the candidate.
    """

    recipe: Recipe
    ratio: float
    unfused: Mapping[str, str] = field(default_factory=dict)
    conversions: int = 0
    before_us: Mapping[str, float] = field(default_factory=dict)
    after_us: Mapping[str, float] = field(default_factory=dict)

    @property
    def conversion_share(self) -> float:
        """Of the candidate's time, in conversions and other side work."""
        return _share(self.after_us, lambda name: name in SIDE_WORK)


Rule: TypeAlias = Callable[[Slowness], str | None]


def left_unfused(found: Slowness) -> str | None:
    """Arithmetic runs in float between conversions, or conversions take much of the time."""
    told = f"{found.conversions} conversions are left"
    if found.after_us:
        told += f", {found.conversion_share:.0%} of the time"
    if found.unfused:
        first, operator = next(iter(found.unfused.items()))
        more = f" and {len(found.unfused) - 1} more" if len(found.unfused) > 1 else ""
        return f"onnxruntime computes {operator} for {first!r}{more} in float; {told}"
    return told if found.conversion_share >= MUCH else None


def slow_kernels(found: Slowness) -> str | None:
    """The integer operators take longer than the float ones they stand for."""
    integer = {n: us for n, us in found.after_us.items() if _is_integer(n)}
    before = sum(us for name, us in found.before_us.items() if name in FLOAT)
    after = sum(integer.values()) + sum(us for n, us in found.after_us.items() if n in FLOAT)
    if not integer or after <= SLOWER * before:
        return None
    name = max(integer, key=lambda each: integer[each])
    return (
        f"{name} takes {integer[name]:.0f} µs of {sum(found.after_us.values()):.0f}; all products "
        f"take {after:.0f} µs, in fp32 {before:.0f}"
    )


def gains_nothing(found: Slowness) -> str | None:
    """What the recipe changed is too small a part of the whole."""
    if not found.before_us:
        return None
    share = _share(found.before_us, lambda name: name in FLOAT)
    if share >= 0.5:
        return None
    other = next(name for name in found.before_us if name not in FLOAT)
    return (
        f"matrix products and convolutions are {share:.0%} of fp32's time; the most of the rest "
        f"is {other} with {found.before_us[other] / sum(found.before_us.values()):.0%}"
    )


SLOW_CAUSES: tuple[tuple[str, Rule, str], ...] = (
    ("slow integer operator", slow_kernels, "leave these operators float on this CPU"),
    ("op left unfused", left_unfused, "quantize its neighbours too, or leave it float"),
    ("little to gain", gains_nothing, "make the other operators cheaper: fewer, or other forms"),
)
"""Name, rule, advice; the first whose rule holds is named."""


def _is_integer(name: str) -> bool:
    return name in INTEGER or name.startswith("QLinear")


def _share(times: Mapping[str, float], wanted: Callable[[str], bool]) -> float:
    total = sum(times.values())
    return sum(us for name, us in times.items() if wanted(name)) / total if total else 0.0
