"""The table as text."""

from collections.abc import Mapping
from typing import Any

import facts
from comparison import ISAS, Outcome


def verdict(outcome: Outcome, isa: str) -> str:
    """The ratio, its goal and whether it was met."""
    if isa not in outcome.ours:
        return "not on this machine"
    ratio, goal, ours = outcome.ratio(isa), outcome.goals[isa], outcome.ours[isa]
    said = "met" if ratio >= goal else "**missed**"
    return f"{ours.least_us:.4g} µs, {ratio:.2f}× of {goal:g}× {said}, spread {ours.spread:.2f}"


def line(outcome: Outcome) -> str:
    each = "; ".join(f"{isa}: {verdict(outcome, isa)}" for isa in ISAS)
    return f"{outcome.job}: {outcome.peer} {outcome.theirs.least_us:.4g} µs; {each}"


def markdown(outcomes: list[Outcome], failed: list[str], known: Mapping[str, Any]) -> str:
    """A page: the rows, what failed, and the facts."""
    head = ["job", "per", "peer (its fastest way)", "peer", *ISAS, "results agree"]
    rows = [
        [
            o.job, o.unit, f"{o.peer} ({o.way})",
            f"{o.theirs.least_us:.4g} µs, spread {o.theirs.spread:.2f}",
            *(verdict(o, isa) for isa in ISAS), o.agreement,
        ]
        for o in outcomes
    ]  # fmt: skip
    lines = [facts.machine(), "", *table(head, rows), ""]
    lines += [f"- {text}" for text in failed]
    lines += ["", "## What bit identity costs", "", *costs(outcomes)]
    for title, fact in known.items():
        lines += ["", f"## {title}", *(f"- {name}: {value}" for name, value in fact.items())]
    return "\n".join(lines) + "\n"


def cost(outcome: Outcome, isa: str) -> str:
    """Both builds, and how much longer the shipped one takes."""
    if isa not in outcome.fused:
        return "not on this machine"
    ours, fused = outcome.ours[isa].least_us, outcome.fused[isa].least_us
    return f"{ours:.4g} µs, fused {fused:.4g} µs: {outcome.cost(isa):+.1%}"


def costs(outcomes: list[Outcome]) -> list[str]:
    """The shipped build beside the same sources that may fuse multiply and add."""
    compared = [o for o in outcomes if o.fused]
    if not compared:
        return ["Not measured: no build/fused; run: make bench-features"]
    rows = [[o.job, o.unit, *(cost(o, i) for i in ISAS), o.fused_agreement] for o in compared]
    return table(["job", "per", *ISAS, "fused results agree"], rows)


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    """Lines of a markdown table."""
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]
