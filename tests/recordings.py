"""Call times as a loaded machine gives them, without a clock: drawn from a seed."""

from dataclasses import dataclass

import numpy as np

from edgekit.measure.environment import Environment
from edgekit.measure.latency import Measured
from edgekit.measure.protocol import Loaded, Times
from edgekit.measure.recording import (
    AGAIN,
    BASELINE,
    CANDIDATE,
    Recording,
    Start,
    baseline_role,
)

ENVIRONMENT = Environment(
    device="local", arch="aarch64", cores=4, kernel="Linux 6.1", python="3.11.7",
    versions={"edgekit": "0.1.0", "onnxruntime": "1.32.0"}, cpu="Cortex-A76", load_1m=9.5,
)  # fmt: skip


@dataclass(frozen=True)
class Conditions:
    """What a recording is drawn under.

    Attributes:
        seed: of everything drawn.
        rounds: blocks in each process.
        calls: of each side in a block.
        processes: how many there were.
        noise: deviation of the logarithm of a call.
        bias: deviation of what a loaded model keeps for as long as its process lives.
        waiting: share of calls that gave up the CPU by themselves.
        interrupted: share of calls that lost the CPU to other programs for some milliseconds.
        release: true time of a second baseline, in units of the first.
    """

    seed: int = 0
    rounds: int = 24
    calls: int = 4
    processes: int = 3
    noise: float = 0.08
    bias: float = 0.005
    waiting: float = 0.0
    interrupted: float = 0.5
    release: float | None = None


def record(slower=1.0, **conditions):
    """A recording of a 1 ms model and of one that does `slower` times its work.

    Args:
        slower: true ratio of candidate to baseline.
        conditions: fields of `Conditions`.
    """
    under = Conditions(**conditions)
    random = np.random.default_rng(under.seed)
    work = {BASELINE: 1.0, CANDIDATE: slower, AGAIN: 1.0}
    work |= {baseline_role(1): under.release} if under.release else {}
    placed = {(p, r): random.normal(0.0, under.bias) for p in range(under.processes) for r in work}
    blocks = []
    for block in range(under.rounds * under.processes):
        process, load = block % under.processes, random.lognormal(0.0, 0.2)
        typical = {r: 1e6 * load * ms * np.exp(placed[process, r]) for r, ms in work.items()}
        cpu = {r: ns * random.lognormal(0.0, under.noise, under.calls) for r, ns in typical.items()}
        wall = {r: _interrupted(random, ns, under.interrupted) for r, ns in cpu.items()}
        waits = dict.fromkeys(work, round(under.waiting * under.calls))
        blocks.append((process, Times(_whole(wall), {}, _whole(cpu), waits)))
    loaded = Loaded(50.0, 3.0, 1.0, under.waiting, 80.0, "onnxruntime 1.32.0")
    roles = list(work)
    starts = tuple(
        Start(process, role, (roles.index(role) - process) % len(roles), loaded)
        for process in range(under.processes)
        for role in roles
    )
    return Recording(starts, tuple(blocks))


def _interrupted(random, cpu, share):
    return cpu + np.where(random.random(cpu.size) < share, random.uniform(1e6, 8e6, cpu.size), 0.0)


def _whole(times):
    return {role: [round(ns) for ns in each] for role, each in times.items()}


def measured(recording, stopped="every limit is settled"):
    return Measured(recording, "3 given inputs", ENVIRONMENT, stopped)
