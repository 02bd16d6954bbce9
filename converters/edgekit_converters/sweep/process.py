"""The process of one search: `python -m edgekit_converters.sweep.process MODEL --task …`.

It is `edgekit optimize`, which also ends when its parent does, and waits for other measurements of
this machine where it is this machine that it measures.
"""

import os
import signal
import sys
import threading
from contextlib import AbstractContextManager, nullcontext
from itertools import pairwise


def main(arguments: list[str]) -> int:
    """Run the search; returns its exit code."""
    from edgekit.cli import main as edgekit

    threading.Thread(target=_end_with_parent, daemon=True).start()
    with alone_if_timed(arguments):
        return edgekit(["optimize", *arguments])


def alone_if_timed(arguments: list[str]) -> "AbstractContextManager[None]":
    """One at a time, whoever asked for it, where costs are times of this machine."""
    from edgekit.gate.alone import measuring_alone
    from edgekit_converters.sweep.lanes import ALONE, lane

    given = dict(pairwise(arguments))
    if lane(given["--target"], given.get("--device")) == ALONE:
        return measuring_alone()
    return nullcontext()


def _end_with_parent() -> None:
    """The parent holds the other end of stdin; when it closes, all that was started here ends."""
    while os.read(0, 1):  # sys.stdin would be locked at exit
        pass
    os.killpg(os.getpgid(0), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
