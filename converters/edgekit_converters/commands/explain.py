"""`edgekit explain`: why candidates failed, from what an optimization wrote or from the model."""

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from edgekit_converters.commands.optimize import add_search_arguments

if TYPE_CHECKING:
    from edgekit_converters.contained.risks import Risks
    from edgekit_converters.explain.explanation import Explanation
    from edgekit_converters.progress import Progress

HELP = "say why candidates failed: where the error starts, its cause, what was tried, what is left"
OUT = Path("out")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "what",
        type=Path,
        nargs="?",
        help="what optimize wrote: its folder (the newest evidence in it), NAME.evidence.json or a "
        "bundle; or an .onnx model, with --task: then all failures are looked at again (--out)",
    )
    parser.add_argument(
        "--out", type=Path, default=OUT, help="folder that optimize wrote, if WHAT is left out"
    )
    parser.add_argument("--recipe", help="only of this candidate, with its worst layers")
    add_search_arguments(parser)
    parser.add_argument("--html", type=Path, help="write the report too; needs a model")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Run it; returns the exit code."""
    import msgspec

    from edgekit.errors import UsageError

    args.what = args.what or args.out
    if args.what.suffix == ".onnx":
        title, found = _from_model(args)
    elif args.html is not None:
        problem, way_out = "the report is made from a model", "give MODEL.onnx and --task"
        raise UsageError(f"--html {str(args.html)!r}", problem, way_out)
    else:
        title, found = _from_evidence(args.what)
    if args.recipe is not None:
        known = ", ".join(each.recipe for each in found) or "none"
        found = [each for each in found if each.recipe == args.recipe]
        if not found:
            problem = "nothing explains it"
            raise UsageError(f"--recipe {args.recipe}", problem, f"explained are: {known}")
    if args.json:
        print(msgspec.json.encode({"explanations": found}).decode())
    else:
        tell(title, found, with_layers=args.recipe is not None)
    return 0


def tell(title: str, found: "list[Explanation]", *, with_layers: bool) -> None:
    """Print a table on a terminal, and what each explanation says."""
    from edgekit_converters.report.why import layer_lines, lines, print_table

    if not found:
        print(f"{title}: no candidate failed")
        return
    if sys.stdout.isatty():
        print_table(title, found)
    else:
        print(title)
    for each in found:
        for line in (*lines([each]), *(layer_lines(each) if with_layers else ())):
            print(line)


def _from_evidence(path: Path) -> "tuple[str, list[Explanation]]":
    """Title and explanations of an evidence file, a bundle, or the newest of a folder."""
    from edgekit_converters.explain.recorded import read_explanations

    return read_explanations(path)


def _from_model(args: argparse.Namespace) -> "tuple[str, list[Explanation]]":
    """The same search; what it found out is in the cache, explanations are made without a limit."""
    from edgekit.errors import UsageError
    from edgekit_converters.commands.optimize import telling
    from edgekit_converters.contained.parent import contained
    from edgekit_converters.folders import own_folder, work_folder

    if args.task is None:
        way_out = "add --task TASK.py, or give the folder that optimize wrote"
        raise UsageError(f"model {str(args.what)!r}", "what it is for is not known", way_out)
    args.model = args.what
    with own_folder(work_folder(), "explain-") as work, telling() as progress:
        return contained(partial(explained, args, work), args.model, work, progress)


def explained(
    args: argparse.Namespace, work: Path, risks: "Risks", progress: "Progress"
) -> "tuple[str, list[Explanation]]":
    """What the command does with a model, in a process of its own: title and explanations."""
    from edgekit.errors import ModelError
    from edgekit_converters.commands.optimize import accepted
    from edgekit_converters.report.page import to_html
    from edgekit_converters.search.search import optimize
    from edgekit_converters.search.workbench import write_file

    job = accepted(args, work, progress, risks)
    if job.source.model is None:
        problem = "a .tflite is packed as it is: no candidate failed"
        raise ModelError(f"model {str(args.what)!r}", problem, "give the .onnx it was made of")
    with job.shelving():
        result = optimize(job, explaining_s=float("inf"))
    if args.html is not None:
        write_file(args.html, to_html(result).encode())
    name, target = job.source.path.name, job.target.name
    return f"{name} for {target}", list(result.explanations)
