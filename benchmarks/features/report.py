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
    for title, fact in known.items():
        lines += ["", f"## {title}", *(f"- {name}: {value}" for name, value in fact.items())]
    return "\n".join(lines) + "\n"


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    """Lines of a markdown table."""
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]
