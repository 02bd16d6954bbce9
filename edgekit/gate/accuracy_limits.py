"""Limits on what the candidate answers: score, metrics, agreement, fidelity, explanation.

A drop is a question of non-inferiority: PASS where the upper bound keeps the margin. Each limit
must pass by itself, which needs no correction; that any of several fails does, so FAIL takes
Holm's adjusted p value over all drops against the same baseline.
"""

from collections.abc import Callable

from msgspec.structs import replace

from edgekit.gate.case import ONE_SIDED, Case, Judge, at_least, at_most, missing
from edgekit.gate.evidence import ACCURACY
from edgekit.gate.scored import Accuracy
from edgekit.gate.verdict import Outcome, Verdict
from edgekit.measure.accuracy import Drop, drop_p_value
from edgekit.measure.estimate import Estimate
from edgekit.measure.fidelity import Fidelity
from edgekit.statistics import holm

ALPHA = 0.05
SCORE = "accuracy.max_drop"


def _max_drop(name: str, limit: float, case: Case) -> Verdict:
    accuracy, evidence = case.evidence.accuracy, case.evidence
    if accuracy is None:
        return missing(name, limit, "score", evidence.missing[ACCURACY])
    against = accuracy.against[case.baseline]
    verdict = _drop_verdict(name, limit, against.drop, case)
    pairs = against.discordance
    if pairs is not None and verdict.value != 0.0:
        said = (
            f"; {pairs.only_baseline} samples only the baseline got right, "
            f"{pairs.only_candidate} only the candidate (McNemar's exact p = {pairs.p_value:.3g})"
        )
        return _with_reason(verdict, verdict.reason + said)
    return verdict


def judge_metric(name: str, limit: float, case: Case) -> Verdict:
    """A limit of `[metrics.NAME]`."""
    accuracy = case.evidence.accuracy
    if accuracy is None:
        return missing(name, limit, "score", case.evidence.missing[ACCURACY])
    _, metric, key = name.split(".")
    figures = accuracy.metrics.get(metric)
    if figures is None:
        known = ", ".join(accuracy.metrics) or "none"
        return missing(name, limit, "score", f"the task has no metric {metric!r}, it has {known}")
    if key == "max_drop":
        return _drop_verdict(name, limit, figures.drops[case.baseline], case)
    return _floor_verdict(name, limit, "score", figures.value)


def _drop_verdict(name: str, limit: float, drop: Drop, case: Case) -> Verdict:
    evidence = case.evidence
    if drop.point == 0.0 and evidence.candidate.answers_like(evidence.baselines[case.baseline]):
        outcome, reason = Outcome.PASS, "it is the baseline's own model, features and decoder"
    else:
        outcome = at_most(drop.lower, drop.upper, limit)
        adjusted = _adjusted(name, case)
        spared = outcome is Outcome.FAIL and adjusted >= ALPHA
        outcome = Outcome.INCONCLUSIVE if spared else outcome
        reason = _drop_reason(drop, limit, outcome)
        if spared:
            reason += f"; over all limits on drops p = {adjusted:.3g} (Holm): it may be chance"
    return Verdict(
        name, outcome, limit, "score", reason, drop.point, drop.lower, drop.upper, ONE_SIDED,
        drop.samples,
    )  # fmt: skip


def _adjusted(name: str, case: Case) -> float:
    """Holm's p value of one drop among all that the budget limits."""
    accuracy = case.evidence.accuracy
    assert accuracy is not None
    family = _drops(accuracy, case)
    values = [drop_p_value(drop, limit) for drop, limit in family.values()]
    return dict(zip(family, holm(values), strict=True))[name]


def _drops(accuracy: Accuracy, case: Case) -> dict[str, tuple[Drop, float]]:
    found: dict[str, tuple[Drop, float]] = {}
    limit = case.budget.accuracy.max_drop
    if limit is not None:
        found[SCORE] = (accuracy.against[case.baseline].drop, limit)
    for metric, wished in case.budget.metrics.items():
        if wished.max_drop is not None and metric in accuracy.metrics:
            drop = accuracy.metrics[metric].drops[case.baseline]
            found[f"metrics.{metric}.max_drop"] = (drop, wished.max_drop)
    return found


WORDS = {
    Outcome.PASS: "not inferior",
    Outcome.FAIL: "inferior",
    Outcome.INCONCLUSIVE: "not shown to be either",
}


def _drop_reason(drop: Drop, limit: float, outcome: Outcome) -> str:
    reason = (
        f"{WORDS[outcome]} at a margin of {limit:g}: it drops by {drop.point:.4f} on "
        f"{drop.samples} samples in {drop.groups} groups, between {drop.lower:.4f} and "
        f"{drop.upper:.4f} ({drop.method})"
    )
    if drop.samples_to_settle is not None:
        reason += f"; about {drop.samples_to_settle} samples would settle it"
    return reason


def _min_score(name: str, limit: float, case: Case) -> Verdict:
    accuracy = case.evidence.accuracy
    if accuracy is None:
        return missing(name, limit, "score", case.evidence.missing[ACCURACY])
    return _floor_verdict(name, limit, "score", accuracy.score)


def _floor_verdict(name: str, limit: float, unit: str, found: Estimate) -> Verdict:
    reason = f"it is {found.point:.4f}, at least {found.lower:.4f} ({found.method})"
    outcome = at_least(found.lower, found.upper, limit)
    return Verdict(
        name, outcome, limit, unit, reason, found.point, found.lower, found.upper, ONE_SIDED
    )


def _min_agreement(name: str, limit: float, case: Case) -> Verdict:
    accuracy, unit = case.evidence.accuracy, "share"
    if accuracy is None:
        return missing(name, limit, unit, case.evidence.missing[ACCURACY])
    against = accuracy.against[case.baseline]
    same = against.agreement
    if same is None:
        what = "answers are floating-point numbers: let predict() return labels or text"
        return missing(name, limit, unit, what)
    reason = f"{same.point:.2%} answered alike, at least {same.lower:.2%} ({same.method})"
    outcome, samples = at_least(same.lower, same.upper, limit), against.drop.samples
    return Verdict(
        name, outcome, limit, unit, reason, same.point, same.lower, same.upper, ONE_SIDED, samples
    )


def _min_rank_agreement(name: str, limit: float, case: Case) -> Verdict:
    accuracy, unit = case.evidence.accuracy, "share"
    if accuracy is None:
        return missing(name, limit, unit, case.evidence.missing[ACCURACY])
    found = accuracy.against[case.baseline].rank_agreement
    if found is None:
        return missing(name, limit, unit, "attributions were not compared")
    verdict = _floor_verdict(name, limit, unit, found)
    said = f"rank correlation of what both look at: {verdict.reason}"
    return _with_reason(verdict, said)


def _fidelity(part: Callable[[Fidelity], Estimate | None], why: str, *, upper: bool) -> Judge:
    def judge(name: str, limit: float, case: Case) -> Verdict:
        accuracy = case.evidence.accuracy
        if accuracy is None:
            return missing(name, limit, "share", case.evidence.missing[ACCURACY])
        found = part(accuracy.fidelity)
        if found is None:
            return missing(name, limit, "share", why)
        if not upper:
            return _floor_verdict(name, limit, "share", found)
        reason = f"it is {found.point:.4f}, at most {found.upper:.4f} ({found.method})"
        outcome = at_most(found.lower, found.upper, limit)
        return Verdict(
            name, outcome, limit, "share", reason, found.point, found.lower, found.upper, ONE_SIDED
        )

    return judge


def _with_reason(verdict: Verdict, reason: str) -> Verdict:
    return replace(verdict, reason=reason)


NO_CLASSES = "answers and labels are no classes: let predict() return a label's number or name"
NO_CONFIDENCE = "no probabilities: name the output of probabilities in the task's Classify decoder"

ACCURACY_JUDGES: dict[str, Judge] = {
    SCORE: _max_drop,
    "accuracy.min_score": _min_score,
    "accuracy.min_agreement": _min_agreement,
    "fidelity.min_precision": _fidelity(lambda f: f.precision, NO_CLASSES, upper=False),
    "fidelity.min_recall": _fidelity(lambda f: f.recall, NO_CLASSES, upper=False),
    "fidelity.max_calibration_error": _fidelity(
        lambda f: f.calibration_error, NO_CONFIDENCE, upper=True
    ),
    "explanation.min_rank_agreement": _min_rank_agreement,
}
