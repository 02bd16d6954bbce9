"""Real gates under load, kept one by one; an interrupted run goes on where it was.

Each gate is followed by a recording under the same load, of 300 calls a side at least and until the
limit is settled, because a gate stops as soon as it knows: too early for other tools, and for
resampling. It is the gate's own in all else, so that its decision can be taken over it again.
"""

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
from load import competing_load
from models import LAYERS, write_network
from msgspec import Struct

from edgekit.gate.budget import parse_budget
from edgekit.gate.evidence import gather
from edgekit.gate.judge import judge
from edgekit.gate.timed import sampling_for, sides_of
from edgekit.gate.verdict import Outcome, overall
from edgekit.gate.wanted import Wanted
from edgekit.measure.environment import Environment
from edgekit.measure.latency import measure
from edgekit.measure.recording import CANDIDATE, Recording
from edgekit.measure.samples import model_inputs, synthetic_samples

BUDGET = parse_budget({"latency": {"max_ratio": 1.05}}, "the benchmark's budget")
RECORDED_CALLS = 300
LONGEST_S = 180.0


@dataclass(frozen=True)
class Kind:
    """Gates of one kind: what the candidate does more than the baseline, in layers."""

    name: str
    more_layers: int
    count: int


KINDS = (Kind("A/A", 0, 60), Kind("+10 %", 2, 40), Kind("+20 %", 4, 20))


class Gate(Struct, frozen=True):
    """One gate as it was, and the recording after it.

    Attributes:
        kind: of gate.
        number: of the gate among those of its kind.
        outcome: its verdict.
        reason: of the verdict.
        wall_s: from the files to the verdict.
        calls: of each side.
        environment: before the gate.
        recording: after the gate.
    """

    kind: str
    number: int
    outcome: Outcome
    reason: str
    wall_s: float
    calls: int
    environment: Environment
    recording: Recording


def run_gates(folder: Path, load: int, share: float = 1.0, threads: int = 1) -> Iterator[Gate]:
    """Every planned gate, in drawn order; those that the folder has are read from it.

    Args:
        folder: where recordings are kept.
        load: competing processes.
        share: of the planned numbers, for a short look.
        threads: of one inference; with more than one, wall time is compared.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = {kind: _write_candidate(kind, folder) for kind in KINDS}
    baseline = write_network(folder / "baseline.onnx", LAYERS)
    plan = [(kind, n) for kind in KINDS for n in range(round(kind.count * share))]
    random.Random(1).shuffle(plan)
    for kind, number in plan:
        kept = folder / f"{threads}-{kind.more_layers}-{number}.json"
        if not kept.exists():
            wanted = Wanted(files[kind], (baseline,), threads=threads, seed=number)
            gate = _run(kind, number, wanted, load)
            partial = kept.with_suffix(".partial")
            partial.write_bytes(msgspec.json.encode(gate))
            partial.replace(kept)
        yield msgspec.json.decode(kept.read_bytes(), type=Gate)


def _write_candidate(kind: Kind, folder: Path) -> Path:
    return write_network(folder / f"{kind.more_layers}-more.onnx", LAYERS + kind.more_layers)


def _run(kind: Kind, number: int, wanted: Wanted, load: int) -> Gate:
    with competing_load(load, LONGEST_S):
        started = time.perf_counter()
        evidence = gather(wanted, BUDGET)
        verdicts = judge(BUDGET, evidence)
        wall_s = time.perf_counter() - started
        recording = _record(wanted)
    assert evidence.timing is not None
    return Gate(
        kind=kind.name,
        number=number,
        outcome=overall(verdicts),
        reason=verdicts[0].reason,
        wall_s=wall_s,
        calls=int(evidence.timing.calls_ms(CANDIDATE).size),
        environment=evidence.timing.environment,
        recording=recording,
    )


def _record(wanted: Wanted) -> Recording:
    """As a gate records, but longer."""
    samples = synthetic_samples(model_inputs(wanted.candidate), wanted.seed)
    sampling = replace(sampling_for(BUDGET, wanted), min_calls=RECORDED_CALLS)
    return measure(sides_of(wanted), samples, sampling).recording
