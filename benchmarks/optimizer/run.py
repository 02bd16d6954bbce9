"""The optimizer on real models, beside other tools' automatic results, all in one run.

    python benchmarks/optimizer/run.py                     everything
    python benchmarks/optimizer/run.py kws_dscnn --by edgekit,nncf
    python benchmarks/optimizer/run.py --device arm://cortex-a76

What contenders make is kept in `--keep`, under a digest of all that it depends on; scores and times
are always taken anew, each model in turns with the fp32 file that came, on one thread. With
`--device` edgekit also makes models for the target of that name (`edgekit_device`), whose
instructions are counted, once for each model file. One line of JSON for each workload and contender
goes to OUT/results.jsonl, tables to OUT/results.md.
"""

import argparse
import json
import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cases import NAMES, TFLITE, Workload, find_workload
from contenders import Contender, Edgekit
from figures import Judge
from kept import made_of
from peers import NAMES as PEERS
from peers import Peer
from table import markdown

OURS, FOR_DEVICE = "edgekit", "edgekit_device"


def main() -> None:
    """Run it."""
    args = parsed()
    args.out.mkdir(parents=True, exist_ok=True)
    lines: list[dict[str, Any]] = []
    when = datetime.now(UTC).isoformat(timespec="minutes")
    with (args.out / "results.jsonl").open("w") as log:
        for name in args.names:
            for line in compete(name, args):
                line |= {"when": when, "max_drop": args.max_drop}
                print(json.dumps(line), file=log, flush=True)
                print(told(line), file=sys.stderr, flush=True)
                lines.append(line)
    text = markdown(lines)
    (args.out / "results.md").write_text(text)
    print(text)


def parsed() -> argparse.Namespace:
    """What the command line asks for."""
    everyone, everything = (OURS, FOR_DEVICE, *PEERS), (*NAMES, *TFLITE)
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", default=everything, help=f"of {', '.join(everything)}")
    parser.add_argument("--by", default=",".join(everyone), help=f"of {', '.join(everyone)} (all)")
    parser.add_argument("--out", type=Path, default=Path("results"))
    parser.add_argument(
        "--keep", type=Path, default=Path("~/.cache/edgekit/benchmarks/optimizer").expanduser()
    )
    parser.add_argument("--max-drop", type=float, default=0.01)
    parser.add_argument("--device", help="such as arm://cortex-a76")
    parser.add_argument("--make-only", action="store_true", help="make and keep, without figures")
    parser.add_argument("--optimize", default="", help="further arguments of edgekit optimize")
    args = parser.parse_args()
    args.by = args.by.split(",")
    for given, known in ((args.by, everyone), (args.names, everything)):
        if unknown := sorted(set(given) - set(known)):
            parser.error(f"there is no {', '.join(unknown)}; there are {', '.join(known)}")
    return args


def compete(name: str, args: argparse.Namespace) -> list[dict[str, Any]]:
    """Everyone on one workload."""
    workload = find_workload(name)
    judge = Judge(workload, args.max_drop, args.keep)
    lines = [judged(contender, workload, judge, args) for contender in contenders(judge, args)]
    if args.device and FOR_DEVICE in args.by and not judge.is_tflite:
        target = args.device.partition("://")[2]
        options = (
            "--target",
            target,
            "--max-drop",
            str(args.max_drop),
            *shlex.split(args.optimize),
        )
        made = Edgekit(judge.data, options, f"edgekit for {target}")
        lines.append(judged(made, workload, judge, args, args.device))
    return lines


def contenders(judge: Judge, args: argparse.Namespace) -> list[Contender]:
    """Those asked for; other tools make no TFLite of a TFLite."""
    found: list[Contender] = []
    if OURS in args.by:
        options = ("--max-drop", str(args.max_drop), *shlex.split(args.optimize))
        found.append(Edgekit(judge.data, options))
    if not judge.is_tflite:
        found += [Peer(name, judge.feeds) for name in args.by if name in PEERS]
    return found


def judged(
    contender: Contender,
    workload: Workload,
    judge: Judge,
    args: argparse.Namespace,
    device: str | None = None,
) -> dict[str, Any]:
    """One contender on one workload: what it made, and its figures."""
    line: dict[str, Any] = {"workload": workload.name, "contender": contender.name}
    line["in_mean"] = not judge.is_tflite
    made = made_of(contender, workload, args.keep)
    line |= made.about
    if made.path is None:
        return line | {"problem": made.problem}
    if args.make_only:
        return line | {"problem": "made, not judged"}
    return line | (judge.counts(made.path, device) if device else judge.figures(made.path))


def told(line: dict[str, Any]) -> str:
    """A line of progress."""
    head = f"{line['workload']} {line['contender']}: "
    if "problem" in line:
        return head + line["problem"]
    cost = f"{line['speed_up']:.2f}x" if "speed_up" in line else f"{line['fewer']:.2f}x fewer"
    return head + f"{line['fp32_score']:.4f} -> {line['score']:.4f}, {cost}"


if __name__ == "__main__":
    main()
