"""Lines of results as Markdown: a row for each workload, every peer below, and the means."""

import math
from collections.abc import Sequence
from typing import Any

Line = dict[str, Any]
OURS = "edgekit"
HEAD = (
    "workload", "budget", "recipe", "score", "drop, points [95 %]", "agreement",
    "speed-up [95 %]", "fewer instructions (recipe; drop)", "size", "load", "CPU s", "peak MB",
    "best peer here",
)  # fmt: skip


def markdown(lines: Sequence[Line]) -> str:
    """Where and when, the table of ours, the table of peers, the means."""
    parts = [_where(lines), _ours(lines), _peers(lines), "\n\n".join(_means(lines))]
    return "\n\n".join(part for part in parts if part) + "\n"


def counted_speed_up(line: Line) -> float:
    """A peer's speed-up with fp32 to fall back to: what is out of budget or slower counts as 1."""
    if "problem" in line or not line["in_budget"]:
        return 1.0
    return max(1.0, line["speed_up"])


def best_peer(lines: Sequence[Line]) -> tuple[str, float] | None:
    """Who has the largest geometric mean with fallback; None where a peer is missing somewhere."""
    means = {name: _mean(map(counted_speed_up, _by(name, lines))) for name in _peer_names(lines)}
    name = max(means, key=lambda each: means[each], default=None)
    return None if name is None else (name, means[name])


def _where(lines: Sequence[Line]) -> str:
    timed = next((line for line in lines if "environment" in line), None)
    if timed is None:
        return ""
    at = timed["environment"]
    found = dict(at["versions"])
    for line in lines:
        found |= line.get("versions", {})
    versions = ", ".join(f"{name} {version}" for name, version in sorted(found.items()))
    cpu = f"{at.get('cpu')} ({at['arch']}; {' '.join(at.get('cpu_features', ()))})"
    return (
        f"{timed['when']}, {cpu}, {at['cores']} cores, load {at.get('load_1m')}, one thread; "
        f"Python {at['python']}, {versions}."
    )


def _ours(lines: Sequence[Line]) -> str:
    mine = [line for line in lines if line["contender"] == OURS]
    return _table(HEAD, [_row(line, lines) for line in mine]) if mine else ""


def _row(line: Line, lines: Sequence[Line]) -> tuple[str, ...]:
    head = (line["workload"], f"{line['max_drop'] * 100:g} point", line.get("recipe", "–"))
    if "problem" in line:
        return (*head, line["problem"], *("–",) * (len(HEAD) - len(head) - 1))
    drop = line["drop"]
    return (
        *head,
        f"{line['fp32_score']:.4f} → {line['score']:.4f}",
        _drop(line),
        "–" if drop["agreement"] is None else f"{drop['agreement']:.3f}",
        _interval(line),
        _fewer(line, lines),
        f"{line['fp32_bytes'] / 1e6:.2f} → {line['bytes'] / 1e6:.2f} MB",
        f"{line['load_speed_up']:.2f}×",
        f"{line['cpu_s']:.0f}",
        f"{line['peak_mb']:.0f}",
        _best_here(line, lines),
    )


def _drop(line: Line) -> str:
    drop = line["drop"]
    return f"{drop['point'] * 100:.2f} [{drop['low'] * 100:.2f}, {drop['high'] * 100:.2f}]"


def _interval(line: Line) -> str:
    high = line["speed_up_high"]
    end = "∞" if high is None else f"{high:.2f}"
    return f"{line['speed_up']:.2f}× [{line['speed_up_low']:.2f}, {end}]"


def _fewer(line: Line, lines: Sequence[Line]) -> str:
    """What was made for the emulated target, which is another search than the host's."""
    for other in lines:
        if other["workload"] == line["workload"] and "fewer" in other:
            drop = other["drop"]["point"] * 100
            return f"{other['fewer']:.2f}× ({other['recipe']}; {drop:.2f})"
    return "–"


def _best_here(line: Line, lines: Sequence[Line]) -> str:
    here = [other for other in _of_peers(lines) if other["workload"] == line["workload"]]
    if not here:
        return "–"
    best = max(here, key=counted_speed_up)
    speed = counted_speed_up(best)
    return f"{best['contender']} {speed:.2f}×" if speed > 1 else "none: fp32, 1.00×"


def _peers(lines: Sequence[Line]) -> str:
    names = _peer_names(lines)
    if not names:
        return ""
    workloads = list(dict.fromkeys(line["workload"] for line in _of_peers(lines)))
    found = {(line["workload"], line["contender"]): line for line in lines}
    body = [
        (workload, *(_peer_cell(found.get((workload, name))) for name in names))
        for workload in workloads
    ]
    about = (
        "Peers at their defaults: speed-up, drop in points; **bold** where it counts: within "
        "budget and faster than fp32."
    )
    return f"{about}\n\n{_table(('workload', *names), body)}"


def _peer_cell(line: Line | None) -> str:
    if line is None:
        return "–"
    if "problem" in line:
        return line["problem"].replace("|", "/").replace("\n", " ")[:100]
    cell = f"{line['speed_up']:.2f}×, {line['drop']['point'] * 100:.2f}"
    return f"**{cell}**" if counted_speed_up(line) > 1 else cell


def _means(lines: Sequence[Line]) -> list[str]:
    found = []
    mine = [line for line in lines if line["contender"] == OURS and line["in_mean"]]
    timed = [line for line in mine if "speed_up" in line]
    best = best_peer(lines)
    if mine:
        speed = _mean(line["speed_up"] for line in timed)
        held = sum(line.get("in_budget", False) for line in mine)
        found.append(
            f"edgekit, geometric means over {len(timed)} ONNX workloads: speed-up {speed:.2f}×, "
            f"load {_mean(line['load_speed_up'] for line in timed):.2f}×; {held} of {len(mine)} in "
            f"budget, slowest {min((line['speed_up'] for line in timed), default=1):.2f}×."
        )
        counted = [line for line in lines if "fewer" in line]
        if counted:
            fewer = _mean(line["fewer"] for line in counted)
            within = sum(line["in_budget"] for line in counted)
            found.append(
                f"{counted[0]['contender']}: {fewer:.2f}× fewer instructions over {len(counted)} "
                f"workloads, {within} of {len(counted)} in budget."
            )
        if best is not None:
            found.append(
                f"Best single peer with fp32 to fall back to: {best[0]}, {best[1]:.2f}×; "
                f"edgekit is {speed / best[1]:.2f}× that."
            )
    for name in _peer_names(lines):
        theirs = _by(name, lines)
        counts = sum(counted_speed_up(line) > 1 for line in theirs)
        found.append(
            f"{name} with fallback: {_mean(map(counted_speed_up, theirs)):.2f}× over {len(theirs)} "
            f"({counts} in budget and faster)."
        )
    return found


def _of_peers(lines: Sequence[Line]) -> list[Line]:
    return [line for line in lines if not line["contender"].startswith(OURS)]


def _peer_names(lines: Sequence[Line]) -> list[str]:
    return list(dict.fromkeys(line["contender"] for line in _of_peers(lines)))


def _by(name: str, lines: Sequence[Line]) -> list[Line]:
    return [line for line in lines if line["contender"] == name]


def _mean(values: Any) -> float:
    logs = [math.log(value) for value in values]
    return math.exp(sum(logs) / len(logs)) if logs else 1.0


def _table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    rows = [head, ("---",) * len(head), *body]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
