"""`edgekit bench` and `edgekit gate` over ssh, interrupted at random moments; what is left?

    python benchmarks/gate/interrupt.py --count 50

A real sshd on the loopback serves this machine as the board. Each visit is ended by SIGINT, SIGTERM
or SIGKILL of the client, or loses its connection, at a drawn moment. Every fifth finds the board's
cache empty, so that it is interrupted while it sends and unpacks; every tenth finds this side's
empty too, while pip fetches. Prints how long the client took to end, and how long until no process,
folder, lock or half-written file was left on either side; ends with an error where that never was.
"""

import argparse
import os
import random
import shutil
import sys
import tempfile
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path

import onnx

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
from loopback import INTERRUPTIONS, interrupt, serve_this_machine
from workmodels import matmuls

LATEST_S = 9.0
"""A visit lasts about as long: 6 seconds of timing, and what comes before."""

LIMIT = "[latency]\nmax_ratio = 1.0\n"  # never settled between equal models


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=50, help="interruptions (50)")
    parser.add_argument("--seed", type=int, default=0, help="of moments (0)")
    args = parser.parse_args()
    draw = random.Random(args.seed)
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for name in ("sshd", "home", "cache", "scratch"):
            (folder / name).mkdir()
        commands = _commands(folder)
        server = serve_this_machine(folder / "sshd", folder / "home")
        stack.callback(server.stop)
        for number in range(args.count):
            _forget(number, folder)
            how = list(INTERRUPTIONS)[number % len(INTERRUPTIONS)]
            command = [*commands[number // len(INTERRUPTIONS) % 2], "--device", server.url]
            moment = draw.uniform(0.0, LATEST_S)
            visit = interrupt(
                server, command, how, moment, scratch=folder / "scratch", cache=folder / "cache"
            )  # fmt: skip
            found[how].append((visit.ended_s, visit.clean_s))
            print(
                f"{number + 1:3} {command[0]:5} {how:7} after {moment:4.1f} s: exit code "
                f"{visit.code}, ended in {visit.ended_s:.2f} s, clean in {visit.clean_s:.2f} s",
                flush=True,
            )
    for how, times in found.items():
        ended, clean = (max(each) for each in zip(*times, strict=True))
        print(f"{how}: {len(times)}, ended in {ended:.1f} s and clean in {clean:.1f} s at most")


def _forget(number: int, folder: Path) -> None:
    """The board's cache every fifth time, this side's too every tenth."""
    if number % 5 == 0:
        shutil.rmtree(folder / "home/.cache", ignore_errors=True)
    if number % 10 == 0:
        shutil.rmtree(folder / "cache")
        (folder / "cache").mkdir()


def _commands(folder: Path) -> list[list[str]]:
    """A bench and a gate that go on until their time is over."""
    for name in ("one", "other"):
        onnx.save(matmuls(10, 64), folder / f"{name}.onnx")
    (folder / "budget.toml").write_text(LIMIT)
    one, other = (os.fspath(folder / f"{name}.onnx") for name in ("one", "other"))
    budget = os.fspath(folder / "budget.toml")
    seconds = ["--max-seconds", "6"]
    return [
        ["bench", one, "--calls", "1000000", *seconds],
        ["gate", one, "--baseline", other, "--budget", budget, *seconds],
    ]


if __name__ == "__main__":
    main()
