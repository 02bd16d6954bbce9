"""A report's figures in words, the same in every output."""

from edgekit.gate.report import GateReport
from edgekit.gate.subject import Subject
from edgekit.gate.verdict import Outcome, Verdict
from edgekit.measure.environment import Environment

HEADLINES = {
    Outcome.PASS: "every limit is kept",
    Outcome.FAIL: "a limit is violated",
    Outcome.INCONCLUSIVE: "a limit could not be judged",
}


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


def figures(report: GateReport) -> list[tuple[str, str, str]]:
    """Rows of (what, baseline, candidate); a dash where there is no baseline."""
    timing = report.timing
    rows = [
        (
            "model size",
            number(report.baseline.model_bytes / 1e6, "MB") if report.baseline else "–",
            number(report.candidate.model_bytes / 1e6, "MB"),
        )
    ]
    if timing is not None:
        sides = (timing.baseline, timing.candidate)
        for label, name in (("p50", "p50"), ("p95", "p95"), ("p99", "p99"), ("maximum", "max")):
            values = [getattr(side.latency_ms, name) if side else None for side in sides]
            rows.append((f"latency {label}", *_pair(values, "ms")))
        for label, name, unit in (
            ("of it features p50", "features_p50_ms", "ms"),
            ("first inference", "first_ms", "ms"),
            ("load", "load_ms", "ms"),
            ("throughput", "throughput_per_s", "/s"),
            ("peak memory", "peak_mb", "MB"),
        ):
            values = [getattr(side, name) if side else None for side in sides]
            if any(value is not None for value in values):
                rows.append((label, *_pair(values, unit)))
        calls = [str(side.calls) if side else "–" for side in sides]
        rows.append(("timed calls", calls[0], calls[1]))
    accuracy = report.accuracy
    if accuracy is not None:
        rows.append(("score", *_pair([accuracy.baseline_score, accuracy.score.point], "score")))
    if accuracy is not None and accuracy.drop is not None:
        rows.append(("agreement with baseline", "–", number(accuracy.drop.agreement, "share")))
    return rows


def _pair(values: list[float | None], unit: str) -> tuple[str, str]:
    return number(values[0], unit), number(values[1], unit)


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
    if report.timing is None or report.timing.noise is None or report.timing.ratio is None:
        return None
    noise, resolution = report.timing.noise, report.timing.ratio.resolution
    return (
        f"The baseline loaded again took {noise.point:.3f} times as long as itself "
        f"({noise.low:.3f} … {noise.high:.3f}); differences under {resolution:.1%} are not claimed."
    )
