"""The demo's last words: every candidate with its figures, and the gate's verdicts."""

from typing import Any

from rich.console import Console
from rich.table import Table

CANDIDATES = (
    "candidate", "score", "drop in points [95 %]", "size", "latency ratio [95 %]", "verdict",
    "chosen, or why not",
)  # fmt: skip
PLAIN_COLUMNS = 160
"""Width where there is no terminal to ask."""


def print_tables(found: dict[str, Any], gate: dict[str, Any] | None) -> None:
    """Print what `edgekit optimize --json` and `edgekit gate --json` gave."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=PLAIN_COLUMNS)
    console.print()
    console.print(candidates(found))
    if gate is not None:
        console.print(verdicts(gate))


def candidates(found: dict[str, Any]) -> Table:
    """One row for each candidate; scores are of the calibration split where marked."""
    table = Table(title="Candidates (* on calibration lines, which chose the finalist)")
    for column in CANDIDATES:
        table.add_column(column, overflow="fold", no_wrap=column == "candidate")
    for candidate in found["candidates"]:
        if candidate["verdict"] == "not tried":
            continue
        judged = candidate["evaluation"] or candidate["calibration"]
        mark = "" if candidate["evaluation"] else "*"
        compared = judged and candidate["verdict"] != "baseline"
        is_chosen = candidate["recipe"] == found["chosen"]
        table.add_row(
            candidate["recipe"],
            f"{judged['score']:.4f}{mark}" if judged else "–",
            drop(judged["drop"]) if compared else "–",
            f"{candidate['size_bytes'] / 1e6:.1f} MB" if candidate["size_bytes"] else "–",
            ratio(candidate["cost"]) if candidate["cost"] else "–",
            candidate["verdict"],
            candidate["why"],
            style="bold" if is_chosen else None,
        )
    return table


def verdicts(gate: dict[str, Any]) -> Table:
    """One row for each limit of the budget."""
    table = Table(title=f"The gate says {gate['outcome']}")
    for column in ("verdict", "limit", "figures"):
        table.add_column(column, overflow="fold")
    for verdict in gate["verdicts"]:
        table.add_row(verdict["outcome"], verdict["budget"], verdict["reason"])
    return table


def drop(found: dict[str, Any]) -> str:
    """`0.03 [-0.10, 0.18]`: hundredths of the score."""
    return f"{found['point'] * 100:.2f} [{found['low'] * 100:.2f}, {found['high'] * 100:.2f}]"


def ratio(cost: dict[str, Any]) -> str:
    """`0.61 [0.60, 0.63]`."""
    return f"{cost['ratio']:.2f} [{cost['low']:.2f}, {cost['high']:.2f}]"
