"""The optimizer on real models: what it ships against the fp32 file that came, from one run.

    python benchmarks/optimizer/run.py --workloads FOLDER kws_dscnn --out results
    python benchmarks/optimizer/run.py --workloads FOLDER --device arm://cortex-a76 \\
        --optimize "--target cortex-a76"

One line of JSON for each workload and contender in OUT/results.jsonl, and OUT/results.md.
"""

import argparse
import json
import shlex
import tempfile
from pathlib import Path
from typing import Any

from contenders import Contender, Edgekit
from figures import Judge
from table import markdown
from workloads import NAMES, Workload, find_workload


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", default=NAMES, help=f"of {', '.join(NAMES)} (all)")
    parser.add_argument("--workloads", type=Path, required=True, help="folder of the task files")
    parser.add_argument("--out", type=Path, default=Path("results"))
    parser.add_argument("--max-drop", type=float, default=0.01)
    parser.add_argument("--device", help="count instructions there too, such as arm://cortex-a76")
    parser.add_argument("--optimize", default="", help="further arguments of edgekit optimize")
    args = parser.parse_args()
    contenders: tuple[Contender, ...] = (Edgekit(tuple(shlex.split(args.optimize))),)
    args.out.mkdir(parents=True, exist_ok=True)
    lines: list[dict[str, Any]] = []
    with (args.out / "results.jsonl").open("a") as log:
        for name in args.names:
            workload = find_workload(args.workloads.resolve(), name)
            judge = Judge(workload, args.max_drop)
            for contender in contenders:
                line = compete(contender, workload, judge, args.device)
                print(json.dumps(line), file=log, flush=True)
                lines.append(line)
                print(markdown([line]), flush=True)
    text = markdown(lines)
    (args.out / "results.md").write_text(text)
    if len(lines) > 1:
        print(text)


def compete(
    contender: Contender, workload: Workload, judge: Judge, device: str | None
) -> dict[str, Any]:
    """One contender on one workload: what it made, and its figures."""
    line: dict[str, Any] = {"workload": workload.name, "contender": contender.name}
    with tempfile.TemporaryDirectory(prefix="edgekit-bench-") as folder:
        made = contender.make(workload, Path(folder))
        line |= made.about
        if made.path is None:
            return line | {"problem": made.problem}
        return line | judge.figures(made.path, device)


if __name__ == "__main__":
    main()
