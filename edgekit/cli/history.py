"""`edgekit gate history PATH`: trends over stored verdicts, and where their levels moved."""

import argparse
import sys
from pathlib import Path

HELP = "trends over stored verdicts, with the gates from which a figure's level changed"

EPILOG = """\
PATH is a folder of gate.json files, searched to any depth, or a file of JSON lines that
`edgekit gate --history FILE` appends to. What cannot be read is left out and said on stderr.

What is gated ends in .edgekit, .onnx or .tflite, so this command hides no bundle; `./history`
always names a file.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.epilog = EPILOG
    parser.add_argument("paths", type=Path, nargs="+", metavar="PATH", help="folders and files")
    parser.add_argument(
        "--commits",
        type=Path,
        metavar="FILE",
        help="order by this list, oldest first, as `git rev-list --reverse HEAD` prints (by time)",
    )
    parser.add_argument(
        "--alpha",
        type=_probability,
        default=0.01,
        help="probability of finding a change anywhere where there is none (0.01)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page with drawings")


def run(args: argparse.Namespace) -> int:
    """Run it; returns the exit code."""
    from edgekit.gate.files import write_file
    from edgekit.gate.history import read_commits, read_history
    from edgekit.gate.trendpage import to_html
    from edgekit.gate.trends import find_trends, to_json, to_text

    commits = read_commits(args.commits) if args.commits else ()
    history = read_history(args.paths, commits)
    for problem in history.problems:
        print(f"edgekit: {problem}", file=sys.stderr)
    trends = find_trends(history, args.alpha)
    if args.html is not None:
        write_file(args.html, to_html(trends).encode())
    print(to_json(trends).decode() if args.json else to_text(trends))
    return 0


def _probability(text: str) -> float:
    value = float(text)
    if not 0.0 < value < 1.0:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return value
