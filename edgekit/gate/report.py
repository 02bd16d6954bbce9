"""The result of a gate as data: what `gate.json` holds and every other output is made from."""

from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

import msgspec
import numpy as np
from msgspec import Struct, structs

import edgekit
from edgekit.budget import Budget
from edgekit.errors import UsageError
from edgekit.gate.counted import InstructionFigures
from edgekit.gate.evidence import Evidence
from edgekit.gate.redact import redact, without_secrets
from edgekit.gate.scored import Accuracy
from edgekit.gate.subject import Subject
from edgekit.gate.verdict import Outcome, Verdict, overall
from edgekit.measure.dataset import DataFigures
from edgekit.measure.environment import Environment
from edgekit.measure.latency import Measured
from edgekit.measure.recording import (
    AGAIN,
    CANDIDATE,
    Ratio,
    SideFigures,
    candidate_ratio,
    noise_of,
    side_figures,
)

SCHEMA = 1
Policy: TypeAlias = Literal["release", "pull-request"]
"""What INCONCLUSIVE means: a release waits (exit code 3), a pull request is warned (0)."""

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
        baselines: figures of each baseline.
        ratios: candidate over each baseline.
        noise: the first baseline loaded again over itself: the noise floor of this run.
        threads: that one inference could use.
    """

    candidate: SideFigures
    inputs: str
    environment: Environment
    stopped: str
    histogram: Histogram
    baselines: tuple[SideFigures, ...] = ()
    ratios: tuple[Ratio, ...] = ()
    noise: Ratio | None = None
    threads: int = 1


class GateReport(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One gate. The JSON Schema of this is docs/schemas/gate-1.json.

    Attributes:
        schema: version of this format.
        outcome: the verdict on the release.
        candidate: what was judged.
        baselines: what it was compared with.
        budget: the limits.
        verdicts: one for each limit.
        timing: figures of latency and memory; absent where nothing was timed.
        accuracy: what the task says; absent without a task.
        instructions: counts, one for each emulated CPU.
        data: what a look at the data showed, where the budget asked for one.
        policy: what an inconclusive verdict means.
        edgekit: version of the judge.
        created: when, in UTC.
        commit: what was built from; absent where nobody told.
    """

    schema: int
    outcome: Outcome
    candidate: Subject
    budget: Budget
    verdicts: tuple[Verdict, ...]
    edgekit: str
    created: str
    baselines: tuple[Subject, ...] = ()
    timing: TimingFigures | None = None
    accuracy: Accuracy | None = None
    instructions: tuple[InstructionFigures, ...] = ()
    data: DataFigures | None = None
    policy: Policy = "release"
    commit: str | None = None

    @property
    def exit_code(self) -> int:
        """What the process should return: 0, 1 or 3."""
        if self.outcome is Outcome.INCONCLUSIVE and self.policy == "pull-request":
            return 0
        return EXIT_CODES[self.outcome]


def make_report(
    budget: Budget,
    evidence: Evidence,
    verdicts: tuple[Verdict, ...],
    policy: Policy = "release",
    commit: str | None = None,
) -> GateReport:
    """Put a gate's result together, stamped with the time now.

    Users of addresses, folders and values of secret settings are taken out.

    Raises:
        UsageError: a secret is a word that every report has.
    """
    report = GateReport(
        schema=SCHEMA,
        outcome=overall(verdicts),
        candidate=evidence.candidate,
        baselines=evidence.baselines,
        budget=budget,
        verdicts=tuple(structs.replace(each, reason=redact(each.reason)) for each in verdicts),
        timing=_timing(evidence.timing) if evidence.timing else None,
        accuracy=evidence.accuracy,
        instructions=evidence.counts,
        data=_data(evidence.data) if evidence.data else None,
        policy=policy,
        edgekit=edgekit.__version__,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        commit=commit,
    )
    try:
        return msgspec.convert(without_secrets(msgspec.to_builtins(report)), GateReport)
    except msgspec.ValidationError as error:
        problem = f"its value is a word of reports ({error})"
        raise UsageError("a secret setting of the environment", problem, "change it") from error


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


def _data(figures: DataFigures) -> DataFigures:
    return structs.replace(
        figures,
        mismatches=tuple(map(redact, figures.mismatches)),
        not_finites=tuple(map(redact, figures.not_finites)),
    )


def _timing(measured: Measured) -> TimingFigures:
    recording, environment = measured.recording, measured.environment
    device = redact(environment.device)
    noise_roles = [AGAIN] if recording.has_noise else []
    return TimingFigures(
        candidate=side_figures(recording, CANDIDATE),
        inputs=measured.inputs,
        environment=structs.replace(environment, device=device),
        stopped=measured.stopped,
        histogram=_histogram(measured, [*recording.baselines, CANDIDATE, *noise_roles]),
        baselines=tuple(side_figures(recording, role) for role in recording.baselines),
        ratios=tuple(candidate_ratio(recording, role) for role in recording.baselines),
        noise=noise_of(recording),
        threads=measured.threads,
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
