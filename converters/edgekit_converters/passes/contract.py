"""What a pass promises, and the checks that hold it to it.

A pass states why it does not apply, and returns the rewritten model. Whether it changed anything
and whether the result still is the same function is found out here, not believed: the result is
checked by onnx.checker, loaded, run on real feeds and compared within the pass's own tolerance.
A result that fails any of these is dropped, and the report says so.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

import numpy as np
import onnx
from onnx import ModelProto

from edgekit.engines import Array, first_line, open_engine
from edgekit.errors import EdgekitError
from edgekit_converters.graph import copy_of

Feeds: TypeAlias = Mapping[str, Array]
Outcome: TypeAlias = Literal["changed", "unchanged", "not needed", "reverted", "not cheaper"]


class Pass(Protocol):
    """A rewrite that keeps the outputs.

    `tolerance` is the largest error allowed, as a share of the output's largest magnitude;
    0.0 asks for equal bits.
    """

    @property
    def name(self) -> str:
        """What the report calls it."""

    @property
    def tolerance(self) -> float:
        """See the class."""

    def unneeded(self, model: ModelProto) -> str | None:
        """Why the pass has nothing to do for this model, None where it should run."""

    def apply(self, model: ModelProto) -> ModelProto:
        """The rewritten model. May rewrite `model` itself and return it."""


@dataclass(frozen=True)
class PassReport:
    """What became of one pass.

    Attributes:
        name: the pass.
        outcome: `reverted` means that the result broke a promise and was dropped, `not cheaper`
            that it was measured and does not pay.
        note: why, or what changed.
        error: the largest output error found, as a share of the output's largest magnitude.
    """

    name: str
    outcome: Outcome
    note: str
    error: float = 0.0


@dataclass
class Checked:
    """A model that keeps what it was checked to be: its outputs are computed once."""

    model: ModelProto
    feeds: Sequence[Feeds]
    outputs: list[dict[str, Array]] | None = None

    def run(self) -> list[dict[str, Array]]:
        """Its outputs on the feeds.

        Raises:
            ModelError: it does not load or run.
        """
        if self.outputs is None:
            engine = open_engine("onnxruntime", _bytes(self.model))
            try:
                self.outputs = [engine.run(feed) for feed in self.feeds]
            finally:
                engine.close()
        return self.outputs


def no_risk(thing: str) -> None:
    """Nothing: every result may be run in this process."""


def apply_passes(
    passes: Sequence[Pass],
    model: ModelProto,
    feeds: Sequence[Feeds],
    take: Callable[[str], None] = no_risk,
) -> tuple[ModelProto, list[PassReport]]:
    """Run passes one after the other, each checked on `feeds`.

    Args:
        passes: in order.
        model: is not changed.
        feeds: real inputs; without any, a pass can only be checked to load.
        take: asked before a result is run; raises where it ended a process.
    """
    reports = []
    checked = Checked(model, feeds)
    for each in passes:
        checked, report = _applied(each, checked, take)
        reports.append(report)
    return checked.model, reports


def apply_pass(
    each: Pass,
    model: ModelProto,
    feeds: Sequence[Feeds],
    take: Callable[[str], None] = no_risk,
) -> tuple[ModelProto, PassReport]:
    """Run one pass; the model comes back as it was where the pass changed nothing or failed."""
    checked, report = _applied(each, Checked(model, feeds), take)
    return checked.model, report


def _applied(
    each: Pass, before: Checked, take: Callable[[str], None]
) -> tuple[Checked, PassReport]:
    reason = each.unneeded(before.model)
    if reason is not None:
        return before, PassReport(each.name, "not needed", reason)
    try:
        take(f"pass {each.name}")
        after = Checked(each.apply(copy_of(before.model)), before.feeds)
        if _bytes(after.model) == _bytes(before.model):
            return before, PassReport(each.name, "unchanged", "it found nothing to do")
        onnx.checker.check_model(after.model)
        error = largest_gap(before.run(), after.run())
    except Exception as broken:  # a rewriter may fail in any way; the model before it still stands
        return before, PassReport(each.name, "reverted", _reason(broken))
    if not error <= each.tolerance:
        note = f"outputs differ by {error:.2g} of their magnitude, allowed is {each.tolerance:.2g}"
        return before, PassReport(each.name, "reverted", note, error)
    note = describe_change(before.model, after.model)
    return after, PassReport(each.name, "changed", note, error)


def largest_error(before: ModelProto, after: ModelProto, feeds: Sequence[Feeds]) -> float:
    """The largest difference of any output, as a share of that output's largest magnitude.

    Raises:
        ModelError: one of the models does not load or run.
    """
    return largest_gap(Checked(before, feeds).run(), Checked(after, feeds).run())


def largest_gap(before: Sequence[Feeds], after: Sequence[Feeds]) -> float:
    """The same of outputs that are known."""
    errors = [0.0]
    for expected, found in zip(before, after, strict=True):
        errors += [difference(expected[name], found[name]) for name in expected]
    return max(errors)


def difference(expected: Array, found: Array) -> float:
    """`max |found - expected| / max |expected|`; inf for another shape, dtype or non-number."""
    if expected.shape != found.shape or expected.dtype != found.dtype:
        return float("inf")
    if expected.dtype.kind != "f":
        return 0.0 if np.array_equal(expected, found) else float("inf")
    finite = np.isfinite(expected)
    if not np.array_equal(expected[~finite], found[~finite], equal_nan=True):
        return float("inf")
    if not finite.any():
        return 0.0
    gap = np.abs(found[finite].astype(np.float64) - expected[finite]).max()
    if np.isnan(gap):
        return float("inf")
    return float(gap / max(np.abs(expected[finite]).max(), np.finfo(np.float32).tiny))


def describe_change(before: ModelProto, after: ModelProto) -> str:
    """How many nodes and bytes a rewrite left."""
    return (
        f"{len(before.graph.node)} → {len(after.graph.node)} nodes, "
        f"{before.ByteSize()} → {after.ByteSize()} bytes"
    )


def _bytes(model: ModelProto) -> bytes:
    return model.SerializeToString(deterministic=True)


def _reason(broken: Exception) -> str:
    return broken.problem if isinstance(broken, EdgekitError) else first_line(broken)
