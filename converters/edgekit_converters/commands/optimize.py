"""`edgekit optimize MODEL --task TASK.py`: search, judge, pack, report."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgekit_converters.pack import Identity
    from edgekit_converters.progress import Progress
    from edgekit_converters.search import SearchResult
    from edgekit_converters.workbench import Job

HELP = "find the cheapest model within an accuracy budget, prove it and pack it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "model", type=Path, help="a trained .onnx model; a .tflite is scored and packed as it is"
    )
    parser.add_argument("--task", type=Path, required=True, help="what it is for: a task.py")
    parser.add_argument("--target", default="host", help="what to make it for (host: this machine)")
    parser.add_argument(
        "--device",
        help="where cost is measured: local, ssh://[user@]host, adb://serial or arm://cortex-a76 "
        "(a device of the target if there is one, else its emulation)",
    )
    parser.add_argument(
        "--max-drop",
        type=float,
        default=0.01,
        help="of the task's score against fp32, 0 to 1 (0.01 is one point)",
    )
    parser.add_argument(
        "--certify",
        action="store_true",
        help="ask the limit of the 95 %% bound of the drop, not of its estimate",
    )
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder for the bundles")
    parser.add_argument("--name", help="of the bundle (the model file's name)")
    parser.add_argument("--version", default="1", help="of the bundle (1)")
    parser.add_argument("--seed", type=int, default=0, help="of every random choice (0)")
    parser.add_argument(
        "--cpu-seconds",
        type=float,
        default=90.0,
        help="after so much CPU time no further candidate is tried (90)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Run it; returns the exit code."""
    from edgekit.task import load_task
    from edgekit_converters.cost import place_for
    from edgekit_converters.effort import Effort
    from edgekit_converters.goal import Goal
    from edgekit_converters.importers import read_model
    from edgekit_converters.pack import identify, publishing
    from edgekit_converters.targets import load_target
    from edgekit_converters.workbench import HERE, Job

    target = load_target(args.target)
    goal = Goal(args.max_drop, args.certify)
    identity = identify(args.name or args.model.stem, args.version)
    source, task = read_model(args.model), load_task(args.task)
    place = place_for(target, args.device) if source.model is not None else HERE
    effort = Effort(args.cpu_seconds)
    with publishing(args.out) as staging:
        with TemporaryDirectory(prefix="edgekit-") as work, telling() as progress:
            job = Job(source, task, target, goal, Path(work), args.seed, progress, place, effort)
            result = search_and_pack(job, identity, staging)
        names = sorted(path.name for path in staging.iterdir())
    tell(result, [args.out / name for name in names], as_json=args.json)
    return 0


def search_and_pack(job: "Job", identity: "Identity", folder: Path) -> "SearchResult":
    """Search, then write bundles and report into a folder."""
    from edgekit_converters.as_is import take_as_is
    from edgekit_converters.pack import pack
    from edgekit_converters.report import to_html
    from edgekit_converters.search import optimize
    from edgekit_converters.workbench import write_file

    result = take_as_is(job) if job.source.model is None else optimize(job)
    job.progress.start("packing", None)
    if job.source.model is not None:
        pack(result, result.clean, identity.baseline, folder)
    pack(result, result.chosen, identity, folder)
    write_file(folder / f"{identity.stem}.html", to_html(result).encode())
    return result


@contextmanager
def telling() -> "Iterator[Progress]":
    """A bar on a terminal, plain lines on stderr elsewhere."""
    from edgekit_converters.progress import PlainLines, terminal_progress

    if sys.stderr.isatty():
        with terminal_progress() as progress:
            yield progress
    else:
        yield PlainLines(lambda line: print(line, file=sys.stderr, flush=True))


def tell(result: "SearchResult", written: list[Path], *, as_json: bool) -> None:
    """Print what was found: a table and sentences, or one JSON object."""
    import json

    from edgekit_converters.evidence import as_builtins
    from edgekit_converters.rows import summary
    from edgekit_converters.table import print_table

    if as_json:
        found = {**as_builtins(result), "written": [str(path) for path in written]}
        print(json.dumps(found, ensure_ascii=False))
        return
    print_table(result)
    for line in summary(result):
        print(line)
    for path in written:
        print(f"wrote {path}")
