"""Competing load: one process a core that computes, streams through memory and sleeps in turns."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

SETTINGS = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

PROGRAM = """
import os, random, sys, time
import numpy as np
end, parent = time.monotonic() + float(sys.argv[1]), os.getppid()
matrix, large, small = np.ones((192, 192)), np.ones(1 << 21), list(range(20000))
draw = random.Random(int(sys.argv[2]))
def compute(): matrix @ matrix
def stream(): large + 1.0
def interpret(): sorted(small, key=lambda n: -n)
while time.monotonic() < end and os.getppid() == parent:
    work = draw.choice((compute, stream, interpret))
    until = time.monotonic() + draw.uniform(.05, .5)
    while time.monotonic() < until:
        work()
    time.sleep(draw.uniform(0, .05))
"""


@contextmanager
def competing_load(processes: int, longest_s: float) -> Iterator[None]:
    """Run it; it ends with the block, with this process, and after `longest_s` at the latest."""
    started = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(longest_s), str(number)],
            env={**os.environ, **SETTINGS},
        )
        for number in range(processes)
    ]
    try:
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()
