"""The gate's decision, taken again over recordings: over one as it is, or over many drawn from few.

A replayed gate looks after every round of one recording, the same that other tools' rules see, and
stops where a real one would. A resampled gate takes each of its processes from another recorded
gate of the same kind, keeps the order of loading, draws stretches of neighbouring rounds with
replacement, and is decided in the same way. Both are judged by the gate's own functions.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from gates import BUDGET, Gate

from edgekit.gate.evidence import Evidence
from edgekit.gate.judge import judge
from edgekit.gate.subject import Subject
from edgekit.gate.timed import sampling_for
from edgekit.gate.verdict import Outcome, overall
from edgekit.gate.wanted import Wanted
from edgekit.measure.environment import Environment
from edgekit.measure.latency import Measured, Sampling, why_stop
from edgekit.measure.protocol import Times
from edgekit.measure.recording import CANDIDATE, Recording, Start

Round: TypeAlias = Sequence[tuple[int, Times]]
"""A block of each process."""

STRETCH = 4  # rounds: what neighbours share stays together


@dataclass(frozen=True)
class Decision:
    """What the gate would have said, and after how many calls a side."""

    outcome: Outcome
    calls: int


def replayed_gate(gate: Gate) -> Decision:
    """The gate over the recording that followed it; where it ends unsettled, that is judged."""
    recording = gate.recording
    processes = len({start.process for start in recording.starts})
    blocks = recording.blocks
    rounds = [blocks[n : n + processes] for n in range(0, len(blocks), processes)]
    return _decide(recording.starts, rounds, _sampling(), gate.environment)


def resampled_gates(gates: Sequence[Gate], count: int, seed: int) -> Iterator[Decision]:
    """Draw gates from recorded ones of one kind."""
    draw = random.Random(seed)
    sampling = _sampling()
    for _ in range(count):
        sources = [draw.choice(gates).recording for _ in range(sampling.processes)]
        starts = [s for process, source in enumerate(sources) for s in _starts(source, process)]
        streams = [_stream(_blocks(source, p), draw) for p, source in enumerate(sources)]
        yield _decide(starts, _rounds(streams), sampling, gates[0].environment)


def _sampling() -> Sampling:
    """What a gate of the benchmark's budget asks for."""
    return sampling_for(BUDGET, Wanted(Path("candidate.onnx"), (Path("baseline.onnx"),)))


def _decide(
    starts: Sequence[Start], rounds: Iterable[Round], sampling: Sampling, environment: Environment
) -> Decision:
    """Look after every round, stop as a gate stops, judge as a gate judges."""
    blocks: list[tuple[int, Times]] = []
    calls, stopped = 0, "the recording ended"
    for each in rounds:
        blocks += each
        calls = sum(len(times.total_ns[CANDIDATE]) for _, times in blocks)
        why = why_stop(Recording(tuple(starts), tuple(blocks)), calls, sampling)
        if why is not None:
            stopped = why
            break
    recording = Recording(tuple(starts), tuple(blocks))
    return Decision(_outcome(Measured(recording, "synthetic inputs", environment, stopped)), calls)


def _rounds(streams: Sequence[Iterator[Times]]) -> Iterator[Round]:
    while True:
        yield [(process, next(stream)) for process, stream in enumerate(streams)]


def _starts(source: Recording, process: int) -> list[Start]:
    return [start for start in source.starts if start.process == process]


def _blocks(source: Recording, process: int) -> list[Times]:
    return [times for number, times in source.blocks if number == process]


def _stream(blocks: list[Times], draw: random.Random) -> Iterator[Times]:
    while True:
        start = draw.randrange(len(blocks))
        yield from ((blocks * 2)[start : start + STRETCH])


def _outcome(measured: Measured) -> Outcome:
    subject = Subject("model.onnx", "onnxruntime", "", "", 0, 0)
    return overall(judge(BUDGET, Evidence(subject, (subject,), measured)))
