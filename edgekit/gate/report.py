"""The result of a gate as data: what `gate.json` holds and every other output is made from."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct

import edgekit
from edgekit.errors import StorageError
from edgekit.gate.evidence import Evidence
from edgekit.gate.subject import Subject
from edgekit.gate.verdict import Outcome, Verdict, overall
from edgekit.manifest import Budget
from edgekit.measure.accuracy import Drop
from edgekit.measure.environment import Environment
from edgekit.measure.estimate import Estimate
from edgekit.measure.latency import Measured
from edgekit.measure.recording import (
    BASELINE,
    CANDIDATE,
    Ratio,
    SideFigures,
    candidate_ratio,
    noise_of,
    side_figures,
)

SCHEMA = 1
EXIT_CODES = {Outcome.PASS: 0, Outcome.FAIL: 1, Outcome.INCONCLUSIVE: 3}
BINS = 48


class Histogram(Struct, frozen=True):
    """How often each side's calls took how long.

    Attributes:
        edges_ms: bounds of the bins, one more than counts; calls beyond count in the last bin.
        counts: calls in each bin, by side.
    """

    edges_ms: tuple[float, ...]
    counts: dict[str, tuple[int, ...]]


class TimingFigures(Struct, frozen=True, omit_defaults=True):
    """What timing gave.

    Attributes:
        candidate: its figures.
        inputs: what the models were fed.
        environment: where it was measured.
        stopped: why timing ended.
        histogram: the distribution of calls.
        baseline: its figures, where there is one.
        ratio: candidate over baseline.
        noise: the baseline loaded again over the baseline.
    """

    candidate: SideFigures
    inputs: str
    environment: Environment
    stopped: str
    histogram: Histogram
    baseline: SideFigures | None = None
    ratio: Ratio | None = None
    noise: Ratio | None = None


class AccuracyFigures(Struct, frozen=True, omit_defaults=True):
    """What the task's score gave."""

    task: str
    score: Estimate
    baseline_score: float | None = None
    drop: Drop | None = None
    agreement: Estimate | None = None


class GateReport(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One gate. The JSON Schema of this is docs/schemas/gate-1.json.

    Attributes:
        schema: version of this format.
        outcome: the verdict on the release.
        candidate: what was judged.
        baseline: what it was compared with.
        budget: the limits.
        verdicts: one for each limit.
        timing: figures of latency and memory; absent where the candidate crashed.
        accuracy: figures of the task's score; absent without a task.
        edgekit: version of the judge.
        created: when, in UTC.
    """

    schema: int
    outcome: Outcome
    candidate: Subject
    budget: Budget
    verdicts: tuple[Verdict, ...]
    edgekit: str
    created: str
    baseline: Subject | None = None
    timing: TimingFigures | None = None
    accuracy: AccuracyFigures | None = None

    @property
    def exit_code(self) -> int:
        """What the process should return: 0, 1 or 3."""
        return EXIT_CODES[self.outcome]


def make_report(budget: Budget, evidence: Evidence, verdicts: tuple[Verdict, ...]) -> GateReport:
    """Put a gate's result together, stamped with the time now."""
    return GateReport(
        schema=SCHEMA,
        outcome=overall(verdicts),
        candidate=evidence.candidate,
        baseline=evidence.baseline,
        budget=budget,
        verdicts=verdicts,
        timing=_timing(evidence.timing) if evidence.timing else None,
        accuracy=_accuracy(evidence),
        edgekit=edgekit.__version__,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def to_json(report: GateReport) -> bytes:
    """`gate.json`: indented, sorted, one final newline."""
    return msgspec.json.format(msgspec.json.encode(report, order="sorted"), indent=1) + b"\n"


def from_json(data: bytes) -> GateReport:
    """A report from its JSON.

    Raises:
        msgspec.ValidationError: it is no report of this schema.
    """
    report: GateReport = msgspec.json.decode(data, type=GateReport)
    return report


def json_schema() -> dict[str, Any]:
    """The JSON Schema of `gate.json`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"edgekit gate report, schema {SCHEMA}",
        **msgspec.json.schema(GateReport),
    }


def write_file(path: Path, content: bytes) -> None:
    """Write a report file: all of it or nothing.

    Raises:
        StorageError: the folder cannot be written or the disk is full.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        problem = f"it cannot be written ({error.strerror})"
        raise StorageError(f"report {str(path)!r}", problem, "check folder and space") from error


def _timing(measured: Measured) -> TimingFigures:
    recording = measured.recording
    roles = {start.role for start in recording.starts}
    compares = BASELINE in roles
    return TimingFigures(
        candidate=side_figures(recording, CANDIDATE),
        inputs=measured.inputs,
        environment=measured.environment,
        stopped=measured.stopped,
        histogram=_histogram(measured, [r for r in (BASELINE, CANDIDATE) if r in roles]),
        baseline=side_figures(recording, BASELINE) if compares else None,
        ratio=candidate_ratio(recording) if compares else None,
        noise=noise_of(recording),
    )


def _histogram(measured: Measured, roles: list[str]) -> Histogram:
    """Logarithmic bins up to the slowest p99; a rare call beyond would squeeze the rest."""
    calls = {role: measured.calls_ms(role) for role in roles}
    low = min(float(each.min()) for each in calls.values())
    high = max(float(np.quantile(each, 0.99)) for each in calls.values())
    edges = np.geomspace(low, max(high, low * 1.01), BINS + 1)
    counts = {
        role: tuple(int(n) for n in np.histogram(np.minimum(each, edges[-1]), edges)[0])
        for role, each in calls.items()
    }
    return Histogram(tuple(round(float(edge), 6) for edge in edges), counts)


def _accuracy(evidence: Evidence) -> AccuracyFigures | None:
    found = evidence.accuracy
    if found is None:
        return None
    return AccuracyFigures(
        found.task, found.score, found.baseline_score, found.drop, found.agreement
    )
