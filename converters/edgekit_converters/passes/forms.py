"""Rewrites that pay on some CPUs only: each is tried, measured, and kept where it is cheaper."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeAlias

from onnx import ModelProto

from edgekit.errors import ModelError
from edgekit_converters.passes.contract import Feeds, Pass, PassReport, apply_pass, no_risk
from edgekit_converters.passes.node_names import NodeNames


class Verdict(Protocol):
    """What a measurement says of a rewritten model against the one before: a `Cost` is one."""

    @property
    def is_cheaper(self) -> bool:
        """Whether the whole interval of its cost lies below the other's."""

    @property
    def ratio(self) -> float:
        """Its cost over the other's."""


Compare: TypeAlias = Callable[[ModelProto, ModelProto], Verdict]


@dataclass(frozen=True)
class Form:
    """A rewrite and the passes that clean up after it, as one pass that must pay.

    Attributes:
        rewrite: what it is called after.
        tidying: run on what it leaves.
    """

    rewrite: Pass
    tidying: Sequence[Pass] = ()

    @property
    def name(self) -> str:
        """That of the rewrite."""
        return self.rewrite.name

    @property
    def tolerance(self) -> float:
        """The largest of all."""
        return max(each.tolerance for each in (self.rewrite, *self.tidying))

    def seeing(self, feeds: Sequence[Feeds]) -> "Form":
        """The form for these calls; what depends on no call is the same for all."""
        learn = getattr(self.rewrite, "seeing", None)
        return self if learn is None else replace(self, rewrite=learn(feeds))

    def unneeded(self, model: ModelProto) -> str | None:
        """Why the rewrite does not apply."""
        return self.rewrite.unneeded(model)

    def apply(self, model: ModelProto) -> ModelProto:
        """Rewrite, clean, and give new nodes names of their own."""
        model = self.rewrite.apply(model)
        for each in self.tidying:
            if each.unneeded(model) is None:
                model = each.apply(model)
        return NodeNames().apply(model)


def choose_forms(
    forms: Sequence[Form],
    model: ModelProto,
    feeds: Sequence[Feeds],
    compare: Compare,
    checked: int = 4,
    take: Callable[[str], None] = no_risk,
) -> tuple[ModelProto, list[PassReport]]:
    """Keep the forms that are measured cheaper, each on top of those kept before it.

    Args:
        forms: in the order to try them.
        model: clean; is not changed.
        feeds: of as many calls as are known: sizes are learned from all.
        compare: measures a rewritten model (second) against the one before it (first).
        checked: calls on which outputs are compared.
        take: asked before a form is run; raises where it ended a process.
    """
    reports = []
    for form in forms:
        rewritten, report = apply_pass(form.seeing(feeds), model, feeds[:checked], take)
        if report.outcome == "changed":
            report = _measured(report, model, rewritten, compare)
            model = rewritten if report.outcome == "changed" else model
        reports.append(report)
    return model, reports


def _measured(
    report: PassReport, before: ModelProto, after: ModelProto, compare: Compare
) -> PassReport:
    """The report with what a measurement says: what cannot be measured is not kept."""
    try:
        verdict = compare(before, after)
    except ModelError as error:
        return replace(report, outcome="reverted", note=error.problem)
    note = f"{report.note}, {verdict.ratio:.2f}× the cost"
    return replace(report, outcome="changed" if verdict.is_cheaper else "not cheaper", note=note)
