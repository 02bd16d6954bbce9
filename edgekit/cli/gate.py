"""`edgekit gate CANDIDATE --baseline BASELINE`: judge a release against its budget."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from edgekit.cli.announce import announce
from edgekit.cli.several import Several

if TYPE_CHECKING:
    from edgekit.gate.report import GateReport

HELP = "judge a release against a budget and a baseline: exit code 0 pass, 1 fail, 3 inconclusive"

EPILOG = """\
Budget files are TOML; every table and key is optional:

  [accuracy]
  max_drop = 0.01        # of the task's score, against each baseline; needs --task
  [latency]
  max_ratio = 1.05       # against each baseline; timing resolves no less than 2 %
  p95_ms = 20
  [instructions]
  max_ratio = 1.01       # needs --device arm://cortex-a76, and --device local to time as well
  [size]
  max_mb = 4
  [drift]
  max_ks = 0.2           # between new data and the bundle's calibration data; needs --data

Candidate and baseline are timed in turns, in three fresh processes, until the verdict is clear.
A limit that cannot be judged is inconclusive and says what is missing; it never passes.

`edgekit gate history PATH` shows trends over stored reports.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.epilog = EPILOG
    parser.add_argument("candidate", type=Path, help="a .edgekit, .onnx or .tflite file")
    parser.add_argument(
        "--baseline",
        type=Path,
        action=Several,
        default=[],
        help="what it must not be worse than; once more for another, such as the last release",
    )
    parser.add_argument("--budget", type=Path, help="limits as TOML (the candidate's own)")
    parser.add_argument("--task", type=Path, help="task file, for limits on accuracy")
    parser.add_argument(
        "--data",
        metavar="FILE.py[:SPLIT]",
        help="file with samples(), for limits on schema, drift and labels "
        "(the task's evaluation split)",
    )
    parser.add_argument(
        "--device",
        action=Several,
        default=["local"],
        metavar="URL",
        help="where: local, ssh://host or adb://serial to time, arm://cortex-a76 to count "
        "instructions; may be given again (local)",
    )
    parser.add_argument(
        "--policy",
        choices=("release", "pull-request"),
        default="release",
        help="what inconclusive means: exit code 3, or 0 with a warning (release)",
    )
    parser.add_argument(
        "--commit", default=_commit(), help="what was built from, for the history (the CI job's)"
    )
    parser.add_argument(
        "--history", type=Path, metavar="FILE", help="add the report to this file of JSON lines"
    )
    parser.add_argument("--threads", type=int, default=1, help="threads of one inference (1)")
    parser.add_argument("--seed", type=int, default=0, help="of all that is drawn (0)")
    parser.add_argument(
        "--max-seconds", type=float, default=60.0, help="longest time to spend on timing (60)"
    )
    parser.add_argument(
        "--timeout",
        type=float,
        default=300.0,
        help="seconds until a model that does not answer has failed (300)",
    )
    for name, what in (
        ("json", "the report as JSON"),
        ("junit", "JUnit XML, a test case for each limit"),
        ("markdown", "markdown, for a pull request or a job summary"),
        ("html", "one self-contained page"),
    ):
        parser.add_argument(f"--{name}", type=Path, metavar="FILE", help=f"write {what}")


def run(args: argparse.Namespace) -> int:
    """Run it; returns the exit code."""
    from edgekit.gate.budget import budget_for
    from edgekit.gate.evidence import gather
    from edgekit.gate.judge import judge
    from edgekit.gate.markdown import to_markdown
    from edgekit.gate.report import make_report
    from edgekit.gate.wanted import Wanted, data_set
    from edgekit.gate.words import as_text

    _check_folders(args)
    budget = budget_for(args.candidate, args.budget)
    wanted = Wanted(
        candidate=args.candidate,
        baselines=tuple(args.baseline),
        task=args.task,
        data=data_set(args.data) if args.data else None,
        devices=tuple(args.device),
        threads=args.threads,
        seed=args.seed,
        max_s=args.max_seconds,
        timeout_s=args.timeout,
    )
    evidence = gather(wanted, budget)
    report = make_report(budget, evidence, judge(budget, evidence), args.policy, args.commit)
    _write(args, report)
    announce(f"gate {report.candidate.file}", report.verdicts, to_markdown(report))
    print(as_text(report))
    return report.exit_code


def _check_folders(args: argparse.Namespace) -> None:
    """Find out now, not after measuring, that a report cannot be written."""
    from edgekit.errors import StorageError

    for path in (args.json, args.junit, args.markdown, args.html, args.history):
        if path is not None and not path.parent.is_dir():
            problem = f"there is no folder {str(path.parent)!r}"
            raise StorageError(f"report {str(path)!r}", problem, "create it first")


def _write(args: argparse.Namespace, report: "GateReport") -> None:
    from edgekit.gate.history import append
    from edgekit.gate.outputs import WRITERS, write_reports

    write_reports(report, {kind: getattr(args, kind) for kind in WRITERS})
    if args.history is not None:
        append(args.history, report)


def _commit() -> str | None:
    """The commit of this job of GitHub Actions, GitLab or Jenkins."""
    told = (os.environ.get(name) for name in ("GITHUB_SHA", "CI_COMMIT_SHA", "GIT_COMMIT"))
    return next((commit for commit in told if commit), None)
