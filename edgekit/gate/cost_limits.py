"""Limits on what the candidate costs: latency, instructions, memory, size."""

import numpy as np

from edgekit.gate.case import Case, Judge, at_most, missing
from edgekit.gate.evidence import INSTRUCTIONS, TIMING
from edgekit.gate.verdict import Outcome, Verdict
from edgekit.measure.latency import LatencyComparison
from edgekit.measure.recording import CANDIDATE, Ratio, baseline_role, side_figures, too_noisy
from edgekit.statistics import Floats, quantile_bound

SEQUENCE = "95 %, valid at every look, and the differences between processes"
ORDER_STATISTIC = "one-sided 99 % bounds by order statistics"
QUANTILES = {"latency.p50_ms": 0.5, "latency.p95_ms": 0.95, "latency.p99_ms": 0.99}
REPEATED = "by how much two counts of the same model differ"


def _latency_ratio(name: str, limit: float, case: Case) -> Verdict:
    timing, unit = case.evidence.timing, "ratio"
    if timing is None:
        return missing(name, limit, unit, case.evidence.missing[TIMING])
    comparison = timing.comparison(baseline_role(case.baseline))
    ratio = comparison.ratio
    refused = too_noisy(timing.recording, limit)
    outcome = Outcome.INCONCLUSIVE if refused else at_most(ratio.low, ratio.high, limit)
    reason = _ratio_reason(ratio, limit)
    if outcome is Outcome.INCONCLUSIVE:
        reason += _why_open(comparison, limit, refused)
    calls = comparison.candidate.calls
    return Verdict(
        name, outcome, limit, unit, reason, ratio.point, ratio.low, ratio.high, SEQUENCE, calls
    )


def _why_open(comparison: LatencyComparison, limit: float, refused: bool) -> str:
    noise = comparison.noise
    floor = f"; the baseline was {noise.point:.3f} times itself" if noise else ""
    why = f"; stopped after {comparison.stopped}{floor}"
    if refused:
        return why + ": too noisy a machine to judge by; run it again, with less beside it"
    if abs(limit - 1.0) <= comparison.ratio.resolution:
        return why + "; timing cannot resolve this limit: count instructions instead"
    return why


def _ratio_reason(ratio: Ratio, limit: float) -> str:
    return (
        f"the candidate takes {ratio.point:.3f} times as long, between {ratio.low:.3f} and "
        f"{ratio.high:.3f} over {ratio.blocks} blocks, limit {limit:g}"
    )


def _percentile(name: str, limit: float, case: Case) -> Verdict:
    if case.evidence.timing is None:
        return missing(name, limit, "ms", case.evidence.missing[TIMING])
    return percentile_verdict(name, limit, case.evidence.timing.calls_ms(CANDIDATE))


def percentile_verdict(name: str, limit: float, calls_ms: Floats) -> Verdict:
    """A limit of `QUANTILES` on calls that were timed one by one.

    Args:
        name: `latency.p99_ms` or the like.
        limit: in milliseconds.
        calls_ms: shape (n,).
    """
    quantile = QUANTILES[name]
    bound = quantile_bound(calls_ms, quantile)
    value = float(np.sort(calls_ms)[min(int(quantile * calls_ms.size), calls_ms.size - 1)])
    if bound.high is None:
        what = f"{bound.samples} calls, {bound.needed - bound.samples} are missing"
        return Verdict(name, Outcome.INCONCLUSIVE, limit, "ms", what, value, samples=bound.samples)
    low = bound.low if bound.low is not None else 0.0
    reason = f"{value:.3f} ms, at most {bound.high:.3f} ms over {bound.samples} calls"
    outcome = at_most(low, bound.high, limit)
    return Verdict(
        name, outcome, limit, "ms", reason, value, low, bound.high, ORDER_STATISTIC, bound.samples
    )


def _instruction_ratio(name: str, limit: float, case: Case) -> Verdict:
    if not case.evidence.counts:
        return missing(name, limit, "ratio", case.evidence.missing[INSTRUCTIONS])
    counts = case.evidence.counts[case.device]
    ratio = counts.candidate.instructions / counts.baselines[case.baseline].instructions
    low, high = ratio * (1 - counts.floor), ratio * (1 + counts.floor)
    reason = (
        f"the candidate executes {ratio:.4f} times as many instructions on {counts.device}, "
        f"known to {counts.floor:.2%}, limit {limit:g}"
    )
    outcome = at_most(low, high, limit)
    return Verdict(name, outcome, limit, "ratio", reason, ratio, low, high, REPEATED)


def _instruction_millions(name: str, limit: float, case: Case) -> Verdict:
    if not case.evidence.counts:
        return missing(name, limit, "million", case.evidence.missing[INSTRUCTIONS])
    counts = case.evidence.counts[case.device]
    value = counts.candidate.instructions / 1e6
    low, high = value * (1 - counts.floor), value * (1 + counts.floor)
    reason = (
        f"{value:.3f} million instructions on {counts.device}, known to {counts.floor:.2%}, "
        f"limit {limit:g}"
    )
    outcome = at_most(low, high, limit)
    return Verdict(name, outcome, limit, "million", reason, value, low, high, REPEATED)


def _exact(name: str, limit: float, unit: str, value: float) -> Verdict:
    """A figure without an interval."""
    figure = f"{value:.3f} times the baseline's" if unit == "ratio" else f"{value:.4g} {unit}"
    reason = f"{figure}, limit {limit:g}"
    return Verdict(name, at_most(value, value, limit), limit, unit, reason, value)


def _peak_mb(name: str, limit: float, case: Case) -> Verdict:
    peak = _peak(case, CANDIDATE)
    if peak is None:
        return missing(name, limit, "MB", _why_no_memory(case))
    return _exact(name, limit, "MB", peak)


def _memory_ratio(name: str, limit: float, case: Case) -> Verdict:
    peak, before = _peak(case, CANDIDATE), _peak(case, baseline_role(case.baseline))
    if peak is None or before is None:
        return missing(name, limit, "ratio", _why_no_memory(case))
    return _exact(name, limit, "ratio", peak / before)


def _peak(case: Case, role: str) -> float | None:
    if case.evidence.timing is None:
        return None
    return side_figures(case.evidence.timing.recording, role).peak_mb


def _why_no_memory(case: Case) -> str:
    return case.evidence.missing.get(TIMING, "peak memory was not measured")


def _size_mb(name: str, limit: float, case: Case) -> Verdict:
    return _exact(name, limit, "MB", case.evidence.candidate.model_bytes / 1e6)


def _size_ratio(name: str, limit: float, case: Case) -> Verdict:
    before = case.evidence.baselines[case.baseline].model_bytes
    return _exact(name, limit, "ratio", case.evidence.candidate.model_bytes / before)


INSTRUCTION_JUDGES: dict[str, Judge] = {
    "instructions.max_ratio": _instruction_ratio,
    "instructions.max_millions": _instruction_millions,
}
COST_JUDGES: dict[str, Judge] = {
    "latency.max_ratio": _latency_ratio,
    **dict.fromkeys(QUANTILES, _percentile),
    "memory.peak_mb": _peak_mb,
    "memory.max_ratio": _memory_ratio,
    "size.max_mb": _size_mb,
    "size.max_ratio": _size_ratio,
}
