"""Lines of results as a Markdown table."""

import math
from collections.abc import Sequence
from typing import Any

HEAD = (
    "workload", "by", "recipe", "fp32", "score", "drop [95 %]", "agreement", "speed-up",
    "fewer instructions", "size", "load", "CPU s", "peak MB",
)  # fmt: skip


def markdown(lines: Sequence[dict[str, Any]]) -> str:
    """The table, and the geometric means of each contender below it."""
    rows = [HEAD, ("---",) * len(HEAD), *map(_cells, lines)]
    table = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    names = dict.fromkeys(line["contender"] for line in lines)
    return table + "".join(f"\n{_means(name, lines)}\n" for name in names)


def _cells(line: dict[str, Any]) -> tuple[str, ...]:
    head = (line["workload"], line["contender"], line.get("recipe", "–"))
    if "problem" in line:
        return (*head, line["problem"], *("–",) * (len(HEAD) - len(head) - 1))
    drop = line["drop"]
    return (
        *head,
        f"{line['fp32_score']:.4f}",
        f"{line['score']:.4f}",
        f"{drop['point'] * 100:.2f} [{drop['low'] * 100:.2f}, {drop['high'] * 100:.2f}]",
        "–" if drop["agreement"] is None else f"{drop['agreement']:.3f}",
        f"{line['speed_up']:.2f}×",
        f"{line['fewer']:.2f}×" if "fewer" in line else "–",
        f"{line['fp32_bytes'] / 1e6:.2f} → {line['bytes'] / 1e6:.2f} MB",
        f"{line['load_speed_up']:.2f}×",
        f"{line['cpu_s']:.0f}" if "cpu_s" in line else "–",
        f"{line['peak_mb']:.0f}" if "peak_mb" in line else "–",
    )


def _means(name: str, lines: Sequence[dict[str, Any]]) -> str:
    mine = [line for line in lines if line["contender"] == name]
    parts = [f"{name}, geometric means"]
    for key, what in (
        ("speed_up", "speed-up"), ("fewer", "fewer instructions"), ("load_speed_up", "load"),
    ):  # fmt: skip
        values = [line[key] for line in mine if key in line]
        if values:
            mean = math.exp(sum(map(math.log, values)) / len(values))
            parts.append(f"{what} {mean:.2f}× over {len(values)}")
    in_budget = sum(line.get("in_budget", False) for line in mine)
    return f"{', '.join(parts)}; {in_budget} of {len(mine)} in budget"
