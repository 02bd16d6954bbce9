"""Stored verdicts → series of figures: devices, versions, inputs and baselines are never mixed."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct

from edgekit.gate.report import GateReport
from edgekit.gate.scored import Accuracy
from edgekit.gate.verdict import Outcome
from edgekit.measure.environment import Environment

TIMED = (
    ("latency p50", "latency_ms.p50", "ms"),
    ("latency p95", "latency_ms.p95", "ms"),
    ("latency p99", "latency_ms.p99", "ms"),
    ("features p50", "features_p50_ms", "ms"),
    ("first inference", "first_ms", "ms"),
    ("load", "load_ms", "ms"),
    ("peak memory", "peak_mb", "MB"),
)
"""Figures of a timed side: what it is, where it stands, its unit."""


class Source(Struct, frozen=True, omit_defaults=True):
    """What a series belongs to; two figures are compared only where all of it is equal.

    Attributes:
        candidate: name of the bundle, or of the file of a plain model.
        device: where it was taken; absent where that does not matter.
        conditions: machine, versions, inputs, in words.
    """

    candidate: str
    device: str | None = None
    conditions: tuple[str, ...] = ()


class Point(Struct, frozen=True, omit_defaults=True):
    """One gate's figure.

    Attributes:
        value: in the unit of its series.
        created: when, in UTC.
        outcome: of the whole gate.
        commit: of what was judged.
        version: of the bundle.
    """

    value: float
    created: str
    outcome: Outcome
    commit: str | None = None
    version: str | None = None


class Series(Struct, frozen=True):
    """One figure of one source, gate after gate."""

    source: Source
    figure: str
    unit: str
    points: tuple[Point, ...]


def series_of(reports: Sequence[GateReport]) -> tuple[Series, ...]:
    """Every series, by source; figures in the order a report has them.

    Args:
        reports: in order.
    """
    found: dict[tuple[Source, str, str], list[Point]] = {}
    for report in reports:
        for source, figure, unit, value in _figures(report):
            if value is not None and math.isfinite(value):
                found.setdefault((source, figure, unit), []).append(_point(report, value))
    sources = list(dict.fromkeys(source for source, _, _ in found))
    ordered = sorted(found.items(), key=lambda item: sources.index(item[0][0]))
    return tuple(Series(*key, tuple(points)) for key, points in ordered)


def _point(report: GateReport, value: float) -> Point:
    version = report.candidate.version
    return Point(value, report.created, report.outcome, report.commit, version)


Figure = tuple[Source, str, str, float | None]


def _figures(report: GateReport) -> Iterator[Figure]:
    subject = report.candidate
    name = subject.name or subject.file
    if subject.target is not None:
        name += f" for {subject.target}"
    yield Source(name), "model size", "MB", subject.model_bytes / 1e6
    yield from _timing(report, name)
    for counts in report.instructions:
        versions = (*_versions(counts.versions), f"fed with {counts.inputs}")
        source = Source(name, counts.device, versions)
        yield source, "instructions", "million", counts.candidate.instructions / 1e6
        if counts.candidate.features is not None:
            features = counts.candidate.features.instructions
            yield source, "instructions of features", "million", features / 1e6
    if report.accuracy is not None:
        yield from _accuracy(report.accuracy, name)


def _timing(report: GateReport, name: str) -> Iterator[Figure]:
    timing = report.timing
    if timing is None:
        return
    threads = f"{timing.threads} thread" + ("s" if timing.threads > 1 else "")
    conditions = (*_machine(timing.environment), threads, f"fed with {timing.inputs}")
    source = Source(name, timing.environment.device, conditions)
    for figure, place, unit in TIMED:
        value: Any = timing.candidate
        for part in place.split("."):
            value = getattr(value, part)
        yield source, figure, unit, value
    for baseline, ratio in zip(report.baselines, timing.ratios, strict=False):
        against = f"over {baseline.file} {baseline.model_sha256[:12]}"
        yield source, f"latency {against}", "ratio", ratio.point


def _accuracy(accuracy: Accuracy, name: str) -> Iterator[Figure]:
    where = accuracy.environment
    conditions = (f"scored by {accuracy.task}", *(_machine(where) if where else ()))
    source = Source(name, where.device if where else None, conditions)
    yield source, "score", "score", accuracy.score.point
    for metric, figures in accuracy.metrics.items():
        yield source, f"metric {metric}", "score", figures.value.point
    fidelity = accuracy.fidelity
    for figure, found in (
        ("precision, macro", fidelity.precision),
        ("recall, macro", fidelity.recall),
        ("calibration error", fidelity.calibration_error),
    ):
        yield source, figure, "share", found.point if found is not None else None


def _machine(environment: Environment) -> tuple[str, ...]:
    """What must be equal; the kernel's release, load and temperature may differ."""
    return (
        environment.arch,
        environment.cpu or "CPU not told",
        f"{environment.cores} cores",
        f"Python {environment.python}",
        *_versions(environment.versions),
    )


def _versions(versions: dict[str, str]) -> tuple[str, ...]:
    return tuple(f"{name} {version}" for name, version in sorted(versions.items()))
