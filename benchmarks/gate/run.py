"""How often the gate errs on a loaded machine, beside the rules of other tools.

    python benchmarks/gate/run.py --folder build/gate

60 gates of a millisecond's model against itself, 40 against one with 10 % more layers, 20 with
20 % more, at a limit of 5 %, while other processes compete for the cores. A recording follows each
gate under the same load: the gate's decision over it (replayed) stands beside other tools' rules
over it. Takes half an hour at most; interrupted, it goes on where it was. Prints a table, writes
`summary.json`. `--threads 2 --share 0.3` looks at models that are compared by wall time.
"""

import argparse
import json
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import rules
from gates import KINDS, Gate, run_gates
from resample import Decision, replayed_gate, resampled_gates

from edgekit.gate.verdict import Outcome

RESAMPLED = 1000


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--folder", type=Path, default=Path("build/gate"), help="for recordings")
    parser.add_argument("--load", type=int, default=4, help="competing processes (4)")
    parser.add_argument("--threads", type=int, default=1, help="of one inference (1)")
    parser.add_argument("--share", type=float, default=1.0, help="of the planned gates (1.0)")
    args = parser.parse_args()
    gates: list[Gate] = []
    for gate in run_gates(args.folder, args.load, args.share, args.threads):
        gates.append(gate)
        print(
            f"{len(gates):4} {gate.kind:6} {gate.outcome.value:12} {gate.calls:4} calls "
            f"{gate.wall_s:5.1f} s, load {gate.environment.load_1m}",
            flush=True,
        )
    found = {"threads": args.threads, **summary(gates, args.load)}
    (args.folder / "summary.json").write_text(json.dumps(found, indent=1) + "\n")
    print(table(found))


def summary(gates: Sequence[Gate], load: int) -> dict[str, Any]:
    """The figures of all gates."""
    environment = gates[0].environment
    return {
        "limit": rules.LIMIT,
        "competing_processes": load,
        "machine": {"cpu": environment.cpu, "cores": environment.cores},
        "versions": environment.versions,
        "load_1m": _spread([gate.environment.load_1m or 0.0 for gate in gates]),
        "calls": _spread([gate.calls for gate in gates]),
        "wall_s": _spread([gate.wall_s for gate in gates]),
        "kinds": {
            kind.name: _of_kind([gate for gate in gates if gate.kind == kind.name])
            for kind in KINDS
        },
    }


def _of_kind(gates: Sequence[Gate]) -> dict[str, Any]:
    drawn = list(resampled_gates(gates, RESAMPLED, seed=1))
    replayed = [replayed_gate(gate) for gate in gates]
    stored = [gates[-1], *gates[:-1]]
    recordings = [gate.recording for gate in gates]
    return {
        "gates": len(gates),
        "outcomes": _outcomes([gate.outcome for gate in gates]),
        "calls": _spread([gate.calls for gate in gates]),
        "wall_s": _spread([gate.wall_s for gate in gates]),
        "clock": dict(Counter(recording.clock for recording in recordings)),
        "replayed": _decisions(replayed),
        "resampled": _decisions(drawn),
        "fails": {
            "pytest-benchmark compare": _rate(map(rules.pytest_benchmark, recordings)),
            "asv continuous": _rate(map(rules.asv, recordings)),
            "github-action-benchmark": _rate(
                rules.github_action_benchmark(gate.recording, other.recording)
                for gate, other in zip(gates, stored, strict=True)
            ),
        },
    }


def _decisions(decisions: Sequence[Decision]) -> dict[str, Any]:
    return {
        "gates": len(decisions),
        "outcomes": _outcomes([each.outcome for each in decisions]),
        "calls": _spread([each.calls for each in decisions]),
    }


def _outcomes(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    return {each.value: _rate(outcome is each for outcome in outcomes) for each in Outcome}


def _rate(happened: Any) -> dict[str, Any]:
    """A count with Wilson's 95 % interval of its rate."""
    flags = list(happened)
    n, share, z = len(flags), sum(flags) / len(flags), 1.959964
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return {
        "count": sum(flags),
        "of": n,
        "low": max(middle - half, 0),
        "high": min(middle + half, 1),
    }


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {
        "median": float(np.median(values)),
        "p95": float(np.quantile(values, 0.95)),
        "max": float(max(values)),
    }


def table(found: dict[str, Any]) -> str:
    """The summary as markdown."""
    names = list(found["kinds"])
    rows = [["", *names], ["---"] * (len(names) + 1)]
    for outcome in Outcome:
        rows.append([f"gate: {outcome.value}", *_cells(found, "outcomes", outcome.value)])
    for part in ("replayed", "resampled"):
        for outcome in Outcome:
            cells = [_cell(found["kinds"][n][part]["outcomes"][outcome.value]) for n in names]
            rows.append([f"{part}: {outcome.value}", *cells])
    for unit in ("calls", "wall_s"):
        spreads = [found["kinds"][name][unit] for name in names]
        cells = [f"{s['median']:.4g}, at most {s['max']:.4g}" for s in spreads]
        rows.append([{"calls": "calls a side", "wall_s": "seconds a gate"}[unit], *cells])
    for rule in next(iter(found["kinds"].values()))["fails"]:
        rows.append([f"{rule}: fails", *_cells(found, "fails", rule)])
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    load, calls = found["load_1m"], found["calls"]
    lines.append(
        f"\nLimit {found['limit']}, threads of a call {found['threads']}, "
        f"{found['competing_processes']} competing processes on "
        f"{found['machine']['cores']} cores, load {load['median']:.1f}, at most {load['max']:.1f}, "
        f"median {calls['median']:.0f} calls a side, {found['machine']['cpu']}."
    )
    return "\n".join(lines)


def _cells(found: dict[str, Any], part: str, name: str) -> list[str]:
    return [_cell(kind[part][name]) for kind in found["kinds"].values()]


def _cell(rate: dict[str, Any]) -> str:
    return f"{rate['count']} of {rate['of']} ({rate['low']:.1%} to {rate['high']:.1%})"


if __name__ == "__main__":
    main()
