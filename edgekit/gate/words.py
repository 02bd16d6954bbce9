"""A report's figures in words, the same in every output."""

from collections.abc import Sequence

from edgekit.gate.counted import InstructionFigures
from edgekit.gate.report import GateReport, TimingFigures
from edgekit.gate.scored import Accuracy
from edgekit.gate.subject import Subject
from edgekit.gate.verdict import Outcome, Verdict
from edgekit.measure.environment import Environment

HEADLINES = {
    Outcome.PASS: "every limit is kept",
    Outcome.FAIL: "a limit is violated",
    Outcome.INCONCLUSIVE: "a limit could not be judged",
}


WARNED = "a limit could not be judged; the policy for pull requests lets it pass with this warning"


def headline(report: GateReport) -> str:
    """The outcome in words."""
    if report.outcome is Outcome.INCONCLUSIVE and report.policy == "pull-request":
        return WARNED
    return HEADLINES[report.outcome]


def as_text(report: GateReport) -> str:
    """The verdicts for a person, one line a limit."""
    lines = verdict_lines(report.verdicts)
    floor = noise_floor(report)
    if floor is not None:
        lines.append(floor)
    return "\n".join([*lines, f"{report.outcome.value}: {headline(report)}"])


def verdict_lines(verdicts: Sequence[Verdict]) -> list[str]:
    """Outcome, limit and reason of each."""
    return [f"{each.outcome.value:12} {each.title:22} {each.reason}" for each in verdicts]


def number(value: float | str | None, unit: str) -> str:
    """A figure with its unit, as short as it stays readable; a dash for none."""
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    if unit in ("score", "share"):
        return f"{value:.4f}"
    if unit == "ratio":
        return f"{value:.3f}×"
    return f"{value:.4g} {unit}".rstrip()


def interval(verdict: Verdict) -> str:
    """Where a verdict's value lies; a dash where there is no interval."""
    if verdict.low is None or verdict.high is None:
        return "–"
    return f"{number(verdict.low, verdict.unit)} … {number(verdict.high, verdict.unit)}"


def named(subject: Subject) -> str:
    """A subject with its size and the start of its digest."""
    size = f"{subject.model_bytes / 1e6:.2f} MB"
    return f"{subject.file} ({size}, sha256 {subject.sha256[:12]})"


def columns(report: GateReport) -> list[str]:
    """Heads of the columns of `figures`: each baseline, and the candidate."""
    count = len(report.baselines)
    numbers = [f" {number}" for number in range(1, count + 1)] if count > 1 else [""] * count
    return ["figure", *(f"baseline{number}" for number in numbers), "candidate"]


def figures(report: GateReport) -> list[list[str]]:
    """Rows of what it is, each baseline's figure, the candidate's."""
    subjects = [*report.baselines, report.candidate]
    rows = [_row("model size", [subject.model_bytes / 1e6 for subject in subjects], "MB")]
    if report.timing is not None:
        rows += _timing_rows(report.timing)
    for counts in report.instructions:
        rows += _instruction_rows(counts)
    if report.accuracy is not None:
        rows += _accuracy_rows(report.accuracy)
    return rows


def _timing_rows(timing: TimingFigures) -> list[list[str]]:
    sides = [*timing.baselines, timing.candidate]
    rows = [
        _row(f"latency {label}", [getattr(side.latency_ms, name) for side in sides], "ms")
        for label, name in (("p50", "p50"), ("p95", "p95"), ("p99", "p99"), ("maximum", "max"))
    ]
    for label, name, unit in (
        ("of it features p50", "features_p50_ms", "ms"),
        ("first inference", "first_ms", "ms"),
        ("load", "load_ms", "ms"),
        ("throughput", "throughput_per_s", "/s"),
        ("peak memory", "peak_mb", "MB"),
    ):
        values = [getattr(side, name) for side in sides]
        if any(value is not None for value in values):
            rows.append(_row(label, values, unit))
    rows.append(["timed calls", *(str(side.calls) for side in sides)])
    return rows


def _instruction_rows(counts: InstructionFigures) -> list[list[str]]:
    sides = [*counts.baselines, counts.candidate]
    name = counts.device.partition("://")[2]
    rows = [_row(f"instructions, {name}", [s.instructions / 1e6 for s in sides], "million")]
    if counts.candidate.features is not None:
        values = [s.features.instructions / 1e6 if s.features else None for s in sides]
        rows.append(_row("of them features", values, "million"))
    same = ["yes" if side.outputs_identical else "no" for side in sides]
    rows.append([f"outputs of {name} as here", *same])
    return rows


def _accuracy_rows(accuracy: Accuracy) -> list[list[str]]:
    against = accuracy.against
    rows = [_row("score", [*(each.score for each in against), accuracy.score.point], "score")]
    if against:
        alike = [each.drop.agreement for each in against]
        rows.append(_row("answered as the candidate", [*alike, None], "share"))
    sides = [*(each.fidelity for each in against), accuracy.fidelity]
    for label, name in (
        ("precision, macro", "precision"),
        ("recall, macro", "recall"),
        ("calibration error", "calibration_error"),
    ):
        found = [getattr(side, name) for side in sides]
        if any(estimate is not None for estimate in found):
            points = [estimate.point if estimate else None for estimate in found]
            rows.append(_row(label, points, "share"))
    for name, metric in accuracy.metrics.items():
        value = metric.value.point
        befores = [value + drop.point for drop in metric.drops]
        rows.append(_row(f"metric {name}", [*befores, value], "score"))
    return rows


def _row(label: str, values: Sequence[float | None], unit: str) -> list[str]:
    return [label, *(number(value, unit) for value in values)]


def circumstances(environment: Environment) -> str:
    """Where it was measured, in one line."""
    parts = [
        f"{environment.device}: {environment.cpu or environment.arch}, {environment.cores} cores",
        environment.kernel,
        f"governor {environment.governor}" if environment.governor else "governor not told",
        f"load {environment.load_1m}" if environment.load_1m is not None else "load not told",
        f"{environment.temperature_c:g} °C" if environment.temperature_c is not None else "",
        f"Python {environment.python}",
        ", ".join(f"{name} {version}" for name, version in environment.versions.items()),
    ]
    return " · ".join(part for part in parts if part)


def noise_floor(report: GateReport) -> str | None:
    """What the baseline measured against itself, in one sentence."""
    if report.timing is None or report.timing.noise is None:
        return None
    noise, resolution = report.timing.noise, report.timing.ratios[0].resolution
    return (
        f"The baseline loaded again took {noise.point:.3f} times as long as itself "
        f"({noise.low:.3f} … {noise.high:.3f}); differences under {resolution:.1%} are not claimed."
    )
