"""`edgekit sweep MODELS.toml`: many models, targets and budgets; one merged report."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgekit_converters.sweep.job import Outcome
    from edgekit_converters.sweep.report import Entry

HELP = "optimize many models for many targets and budgets, in parallel"
INDEX, RESULTS = "index.html", "sweep.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("plan", type=Path, metavar="models.toml", help="what to optimize for what")
    parser.add_argument("--out", type=Path, default=Path("sweep"), help="folder for all results")
    parser.add_argument(
        "--jobs", type=int, default=0, help="searches side by side (0: as many as cores)"
    )
    parser.add_argument(
        "--dask", metavar="ADDRESS", help="run them on the Dask cluster of this scheduler"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Run it; returns the exit code."""
    from edgekit.errors import UsageError
    from edgekit_converters.commands.optimize import telling
    from edgekit_converters.sweep.local import run_here
    from edgekit_converters.sweep.plan import read_plan
    from edgekit_converters.sweep.report import exit_code, judged

    if args.jobs < 0:
        raise UsageError(f"--jobs {args.jobs}", "it is below 0", "pass 1 or more")
    jobs = {job.name: job for job in read_plan(args.plan)}
    entries: dict[str, Entry] = {}
    with telling() as progress:
        progress.start(f"sweeping over {len(jobs)} jobs", len(jobs))

        def done(outcome: "Outcome") -> None:
            entry = judged(jobs[outcome.job], outcome)
            entries[entry.job] = entry
            progress.note(f"{entry.job}: {entry.verdict}: {entry.chosen or 'none'}: {entry.why}")
            progress.advance(len(entries))

        if args.dask:
            from edgekit_converters.sweep.cluster import run_on

            run_on(args.dask, list(jobs.values()), args.out, done)
        else:
            run_here(list(jobs.values()), args.out, args.jobs or cores(), done)
    found = [entries[name] for name in jobs]
    tell(found, args)
    return exit_code(found)


def tell(entries: "list[Entry]", args: argparse.Namespace) -> None:
    """Write the index and the figures, and print them."""
    from edgekit_converters.packing.publish import publishing
    from edgekit_converters.report.table import print_cells
    from edgekit_converters.sweep.report import HEAD, as_json, to_html

    with publishing(args.out) as staging:
        (staging / INDEX).write_text(to_html(args.plan.name, entries), "utf8")
        (staging / RESULTS).write_bytes(as_json(entries) + b"\n")
    if args.json:
        print(as_json(entries).decode())
        return
    print_cells(args.plan.name, HEAD, [(entry.cells, False) for entry in entries])
    print(f"wrote {args.out / INDEX}")


def cores() -> int:
    """That this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
