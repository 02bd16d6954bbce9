"""Budget and evidence → one verdict for every limit.

None is skipped: what cannot be judged is INCONCLUSIVE and says what is missing.
"""

from collections.abc import Callable

from edgekit.gate.budget import limits
from edgekit.gate.evidence import Evidence
from edgekit.gate.verdict import Outcome, Verdict
from edgekit.manifest import Budget
from edgekit.measure.accuracy import Drop
from edgekit.measure.latency import LatencyComparison
from edgekit.measure.recording import BASELINE, CANDIDATE, Ratio, side_figures, too_noisy
from edgekit.statistics import quantile_bound

ONE_SIDED = "one-sided 95 % bounds"
SEQUENCE = "95 %, valid at every look, and the differences between processes"
ORDER_STATISTIC = "one-sided 99 % bounds by order statistics"
NO_BASELINE = "nothing to compare with: give --baseline"

Judge = Callable[[str, float, Evidence], Verdict]


def judge(budget: Budget, evidence: Evidence) -> tuple[Verdict, ...]:
    """Judge every limit that the budget sets.

    Args:
        budget: the limits.
        evidence: what was measured.

    Returns:
        A verdict a limit, in the order of the schema; first, if the candidate crashed, a FAIL
        on the condition that it runs at all.
    """
    verdicts = [_judge_one(name, limit, evidence) for name, limit in limits(budget).items()]
    if evidence.crash is not None:
        failed = Verdict("runs", Outcome.FAIL, None, "", f"the candidate crashed: {evidence.crash}")
        verdicts.insert(0, failed)
    return tuple(verdicts)


def _judge_one(name: str, limit: float | str, evidence: Evidence) -> Verdict:
    if name not in JUDGES or isinstance(limit, str):
        return _missing(name, limit, "", NOT_MEASURED[name.partition(".")[0]])
    return JUDGES[name](name, limit, evidence)


NOT_MEASURED = {
    "instructions": "instructions are counted on an emulated Arm CPU, which this gate did not run",
    "placement": "placement is told by an NPU's compiler, which this gate did not run",
}


def _missing(name: str, limit: float | str, unit: str, what: str) -> Verdict:
    return Verdict(name, Outcome.INCONCLUSIVE, limit, unit, what)


def _at_most(low: float, high: float, limit: float) -> Outcome:
    """An upper limit on something that lies between low and high."""
    if high <= limit:
        return Outcome.PASS
    return Outcome.FAIL if low > limit else Outcome.INCONCLUSIVE


def _at_least(low: float, high: float, limit: float) -> Outcome:
    if low >= limit:
        return Outcome.PASS
    return Outcome.FAIL if high < limit else Outcome.INCONCLUSIVE


def _max_drop(name: str, limit: float, evidence: Evidence) -> Verdict:
    accuracy, unit = evidence.accuracy, "score"
    if accuracy is None:
        return _missing(name, limit, unit, _why_no_accuracy(evidence))
    drop = accuracy.drop
    if drop is None or evidence.baseline is None:
        return _missing(name, limit, unit, NO_BASELINE)
    if drop.point == 0.0 and evidence.candidate.answers_like(evidence.baseline):
        outcome, reason = Outcome.PASS, "it is the baseline's own model, features and decoder"
    else:
        outcome, reason = _at_most(drop.lower, drop.upper, limit), _drop_reason(drop, limit)
    return Verdict(
        name, outcome, limit, unit, reason, drop.point, drop.lower, drop.upper, ONE_SIDED,
        drop.samples,
    )  # fmt: skip


def _drop_reason(drop: Drop, limit: float) -> str:
    reason = (
        f"the score drops by {drop.point:.4f} on {drop.samples} samples in {drop.groups} groups, "
        f"between {drop.lower:.4f} and {drop.upper:.4f} ({drop.method}), limit {limit:g}"
    )
    if drop.samples_to_settle is not None:
        reason += f"; about {drop.samples_to_settle} samples would settle it"
    return reason


def _min_score(name: str, limit: float, evidence: Evidence) -> Verdict:
    if evidence.accuracy is None:
        return _missing(name, limit, "score", _why_no_accuracy(evidence))
    score = evidence.accuracy.score
    reason = f"the score is {score.point:.4f}, at least {score.lower:.4f} ({score.method})"
    outcome = _at_least(score.lower, score.upper, limit)
    return Verdict(
        name, outcome, limit, "score", reason, score.point, score.lower, score.upper, ONE_SIDED
    )


def _min_agreement(name: str, limit: float, evidence: Evidence) -> Verdict:
    accuracy, unit = evidence.accuracy, "share"
    if accuracy is None:
        return _missing(name, limit, unit, _why_no_accuracy(evidence))
    if accuracy.drop is None:
        return _missing(name, limit, unit, NO_BASELINE)
    same = accuracy.agreement
    if same is None:
        what = "answers are floating-point numbers: let predict() return labels or text"
        return _missing(name, limit, unit, what)
    reason = f"{same.point:.2%} answered alike, at least {same.lower:.2%} ({same.method})"
    outcome = _at_least(same.lower, same.upper, limit)
    samples = accuracy.drop.samples
    return Verdict(
        name, outcome, limit, unit, reason, same.point, same.lower, same.upper, ONE_SIDED, samples
    )


def _why_no_accuracy(evidence: Evidence) -> str:
    if evidence.crash is not None:
        return "not measured, because the candidate crashed"
    return "nothing to score with: give --task"


def _latency_ratio(name: str, limit: float, evidence: Evidence) -> Verdict:
    timing, unit = evidence.timing, "ratio"
    if timing is None:
        return _missing(name, limit, unit, "not measured, because the candidate crashed")
    if evidence.baseline is None:
        return _missing(name, limit, unit, NO_BASELINE)
    comparison = timing.comparison()
    ratio = comparison.ratio
    refused = too_noisy(timing.recording, limit)
    outcome = Outcome.INCONCLUSIVE if refused else _at_most(ratio.low, ratio.high, limit)
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


def _percentile(quantile: float) -> Judge:
    def judge_percentile(name: str, limit: float, evidence: Evidence) -> Verdict:
        if evidence.timing is None:
            what = "not measured, because the candidate crashed"
            return _missing(name, limit, "ms", what)
        calls = evidence.timing.calls_ms(CANDIDATE)
        bound = quantile_bound(calls, quantile)
        value = float(sorted(calls)[min(int(quantile * calls.size), calls.size - 1)])
        if bound.high is None:
            what = f"{bound.samples} calls, {bound.needed - bound.samples} are missing"
            return Verdict(
                name, Outcome.INCONCLUSIVE, limit, "ms", what, value, samples=bound.samples
            )
        low = bound.low if bound.low is not None else 0.0
        reason = f"{value:.3f} ms, at most {bound.high:.3f} ms over {bound.samples} calls"
        outcome = _at_most(low, bound.high, limit)
        return Verdict(
            name, outcome, limit, "ms", reason, value, low, bound.high, ORDER_STATISTIC,
            bound.samples,
        )  # fmt: skip

    return judge_percentile


def _exact(name: str, limit: float, unit: str, value: float) -> Verdict:
    """A figure without an interval."""
    figure = f"{value:.3f} times the baseline's" if unit == "ratio" else f"{value:.4g} {unit}"
    reason = f"{figure}, limit {limit:g}"
    return Verdict(name, _at_most(value, value, limit), limit, unit, reason, value)


def _peak_mb(name: str, limit: float, evidence: Evidence) -> Verdict:
    peak = _peak(evidence, CANDIDATE)
    if peak is None:
        return _missing(name, limit, "MB", "peak memory was not measured")
    return _exact(name, limit, "MB", peak)


def _memory_ratio(name: str, limit: float, evidence: Evidence) -> Verdict:
    if evidence.baseline is None:
        return _missing(name, limit, "ratio", NO_BASELINE)
    peak, before = _peak(evidence, CANDIDATE), _peak(evidence, BASELINE)
    if peak is None or before is None:
        return _missing(name, limit, "ratio", "peak memory was not measured")
    return _exact(name, limit, "ratio", peak / before)


def _peak(evidence: Evidence, role: str) -> float | None:
    if evidence.timing is None:
        return None
    return side_figures(evidence.timing.recording, role).peak_mb


def _size_mb(name: str, limit: float, evidence: Evidence) -> Verdict:
    return _exact(name, limit, "MB", evidence.candidate.model_bytes / 1e6)


def _size_ratio(name: str, limit: float, evidence: Evidence) -> Verdict:
    if evidence.baseline is None:
        return _missing(name, limit, "ratio", NO_BASELINE)
    size = evidence.candidate.model_bytes / evidence.baseline.model_bytes
    return _exact(name, limit, "ratio", size)


JUDGES: dict[str, Judge] = {
    "accuracy.max_drop": _max_drop,
    "accuracy.min_score": _min_score,
    "accuracy.min_agreement": _min_agreement,
    "latency.max_ratio": _latency_ratio,
    "latency.p50_ms": _percentile(0.5),
    "latency.p95_ms": _percentile(0.95),
    "latency.p99_ms": _percentile(0.99),
    "memory.peak_mb": _peak_mb,
    "memory.max_ratio": _memory_ratio,
    "size.max_mb": _size_mb,
    "size.max_ratio": _size_ratio,
}
