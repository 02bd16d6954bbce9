"""Many gates from few: processes and stretches of blocks are drawn from recorded ones.

A resampled gate takes each of its processes from another recorded gate of the same kind, keeps
the order of loading, draws stretches of neighbouring rounds with replacement, looks after every
round as a real one does, and is judged by the same functions.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gates import BUDGET, Gate

from edgekit.gate.evidence import Evidence
from edgekit.gate.judge import judge
from edgekit.gate.subject import Subject
from edgekit.gate.timed import sampling_for
from edgekit.gate.verdict import Outcome, overall
from edgekit.gate.wanted import Wanted
from edgekit.measure.latency import Measured, Sampling, why_stop
from edgekit.measure.protocol import Times
from edgekit.measure.recording import CANDIDATE, Recording, Start

STRETCH = 4  # rounds: what neighbours share stays together


@dataclass(frozen=True)
class Resampled:
    """One resampled gate."""

    outcome: Outcome
    calls: int


def resampled_gates(gates: Sequence[Gate], count: int, seed: int) -> Iterator[Resampled]:
    """Draw gates from recorded ones of one kind."""
    draw = random.Random(seed)
    sampling = _sampling()
    for _ in range(count):
        yield _resampled(gates, sampling, draw)


def _sampling() -> Sampling:
    """What a gate of the benchmark's budget asks for."""
    return sampling_for(BUDGET, Wanted(Path("candidate.onnx"), (Path("baseline.onnx"),)))


def _resampled(gates: Sequence[Gate], sampling: Sampling, draw: random.Random) -> Resampled:
    sources = [draw.choice(gates).recording for _ in range(sampling.processes)]
    starts = tuple(s for process, source in enumerate(sources) for s in _starts(source, process))
    streams = [_stream(_blocks(source, p), draw) for p, source in enumerate(sources)]
    blocks: list[tuple[int, Times]] = []
    stopped = None
    while stopped is None:
        blocks += [(process, next(stream)) for process, stream in enumerate(streams)]
        recording = Recording(starts, tuple(blocks))
        calls = sum(len(times.total_ns[CANDIDATE]) for _, times in blocks)
        stopped = why_stop(recording, calls, sampling)
    measured = Measured(recording, "synthetic inputs", gates[0].environment, stopped)
    return Resampled(_outcome(measured), calls)


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
