"""Limits on data: whether the model can take it, whether it is what calibration saw, its labels.

Schema and labels are counted: they are about these samples, so there is no interval. Drift is
about where the samples came from: it has one, over all tensors, and few samples leave it open.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from edgekit.gate.case import Case, Judge, at_least, at_most, missing
from edgekit.gate.evidence import DATA
from edgekit.gate.verdict import Outcome, Verdict
from edgekit.measure.dataset import ALPHA, DataFigures
from edgekit.measure.drift import FEW_GROUPS, Between, TensorDrift, groups_to_settle
from edgekit.measure.labels import LabelFigures

OVER_TENSORS = "95 % over all tensors (Bonferroni)"


def _mismatch_share(name: str, limit: float, case: Case) -> Verdict:
    data = case.evidence.data
    if data is None:
        return missing(name, limit, "share", case.evidence.missing[DATA])
    what = f"{data.mismatched} of {data.samples} samples are not what the model takes"
    return _counted(name, limit, data, what, data.mismatched, data.mismatches)


def _not_finite_share(name: str, limit: float, case: Case) -> Verdict:
    data = case.evidence.data
    if data is None:
        return missing(name, limit, "share", case.evidence.missing[DATA])
    what = f"{data.not_finite} of {data.samples} samples hold NaN or infinite values"
    return _counted(name, limit, data, what, data.not_finite, data.not_finites)


def _counted(
    name: str, limit: float, data: DataFigures, what: str, count: int, lines: Sequence[str]
) -> Verdict:
    reason = ": ".join([f"{what} ({data.source})", *lines[:1]])
    return _exact(name, limit, "share", count / data.samples, reason, data.samples)


def _outside_share(name: str, limit: float, case: Case) -> Verdict:
    found = _drift(name, limit, "share", case)
    if isinstance(found, Verdict):
        return found
    inputs = [each for each in found if each.tensor.startswith("input ")]
    if not inputs:
        return missing(name, limit, "share", "no input has a histogram of its calibration data")
    worst = max(inputs, key=lambda each: each.outside)
    reason = (
        f"{worst.outside:.4%} of {worst.values} values of {worst.tensor} are out of its range in "
        "calibration"
    )
    return _whole(_exact(name, limit, "share", worst.outside, reason, worst.values), case)


def _max_ks(name: str, limit: float, case: Case) -> Verdict:
    found = _drift(name, limit, "share", case)
    if isinstance(found, Verdict):
        return found
    verdict = _apart(name, limit, "share", found, [each.ks for each in found])
    if verdict.outcome is Outcome.INCONCLUSIVE and verdict.value is not None:
        verdict = _with_way_out(verdict, limit, found)
    return _whole(verdict, case)


def _max_psi(name: str, limit: float, case: Case) -> Verdict:
    found = _drift(name, limit, "", case)
    if isinstance(found, Verdict):
        return found
    return _whole(_apart(name, limit, "", found, [each.psi for each in found]), case)


def _drift(name: str, limit: float, unit: str, case: Case) -> Verdict | tuple[TensorDrift, ...]:
    """Each tensor against calibration, or a verdict that says what is missing for it."""
    data = case.evidence.data
    if data is None:
        return missing(name, limit, unit, case.evidence.missing[DATA])
    if data.no_reference is not None:
        return missing(name, limit, unit, data.no_reference)
    if not data.drift:
        what = f"the model took none of {data.samples} samples: see [schema]"
        return missing(name, limit, unit, what)
    return data.drift


def _apart(
    name: str,
    limit: float,
    unit: str,
    found: Sequence[TensorDrift],
    distances: Sequence[Between | None],
) -> Verdict:
    known = [(drift, d) for drift, d in zip(found, distances, strict=True) if d is not None]
    if len(known) < len(found):
        return missing(name, limit, unit, _too_few(found))
    low = max(distance.low for _, distance in known)
    high = max(distance.high for _, distance in known)
    worst, distance = max(known, key=lambda each: each[1].point)
    outcome = at_most(low, high, limit)
    reason = (
        f"{worst.tensor} is {distance.point:.3f} away from calibration, the furthest of "
        f"{len(found)} tensors; between {low:.3f} and {high:.3f} over {worst.groups} groups, "
        f"{worst.reference_groups} of calibration"
    )
    return Verdict(
        name, outcome, limit, unit, reason, distance.point, low, high, OVER_TENSORS, worst.groups
    )


def _whole(verdict: Verdict, case: Case) -> Verdict:
    """Say which samples a verdict does not rest on."""
    data = case.evidence.data
    if data is None or not data.left_out:
        return verdict
    lines = [*data.mismatches, *data.not_finites]
    said = f"; without {data.left_out} of {data.samples} samples, which it cannot take: {lines[0]}"
    return replace(verdict, reason=verdict.reason + said)


def _too_few(found: Sequence[TensorDrift]) -> str:
    groups = min(each.groups for each in found)
    before = min(each.reference_groups for each in found)
    if before == 0:
        return "the bundle does not say how groups of its calibration data differ: pack it again"
    return (
        f"{groups} groups of data and {before} of calibration: fewer than {FEW_GROUPS} say "
        "nothing about what they were drawn from"
    )


def _with_way_out(verdict: Verdict, limit: float, found: Sequence[TensorDrift]) -> Verdict:
    open_ones = [d for d in found if d.ks is not None and d.ks.high > limit > d.ks.point]
    needed = [groups_to_settle(each, limit, ALPHA / len(found)) for each in open_ones]
    if len(open_ones) < sum(d.ks is not None and d.ks.high > limit for d in found):
        return verdict
    if None in needed:
        said = "; calibration had too few groups for this limit, whatever is compared with it"
    else:
        said = f"; about {max(each for each in needed if each is not None)} groups would settle it"
    return replace(verdict, reason=verdict.reason + said)


def _disagreement_share(name: str, limit: float, case: Case) -> Verdict:
    labels = _labels(case)
    if labels is None:
        return missing(name, limit, "share", case.evidence.missing[DATA])
    if labels.disagreements is None:
        return missing(name, limit, "share", labels.not_compared or "labels were not compared")
    if not labels.compared:
        return missing(name, limit, "share", "the model took none of the samples: see [schema]")
    reason = (
        f"{labels.answered_by} answers {labels.disagreements} of {labels.compared} samples "
        f"otherwise than they are labelled{_numbers(labels.disagreeing)}"
    )
    share = labels.disagreements / labels.compared
    return _whole(_exact(name, limit, "share", share, reason, labels.compared), case)


def _max_conflicts(name: str, limit: float, case: Case) -> Verdict:
    labels = _labels(case)
    if labels is None:
        return missing(name, limit, "", case.evidence.missing[DATA])
    if labels.conflicts is None:
        what = "inputs cannot be compared: let samples() yield arrays, numbers or text"
        return missing(name, limit, "", what)
    where = _numbers(labels.conflicting)
    reason = f"{labels.conflicts} inputs occur with more than one label{where}"
    return _exact(name, limit, "", labels.conflicts, reason, labels.labels)


def _min_class_samples(name: str, limit: float, case: Case) -> Verdict:
    labels = _labels(case)
    if labels is None:
        return missing(name, limit, "", case.evidence.missing[DATA])
    if not labels.smallest:
        return missing(name, limit, "", "labels are no classes")
    told = ", ".join(f"{label!r} {count}" for label, count in labels.smallest)
    reason = f"the smallest classes of {labels.labels} samples: {told}"
    least = float(labels.smallest[0][1])
    outcome = at_least(least, least, limit)
    return Verdict(name, outcome, limit, "", reason, least, samples=labels.labels)


def _labels(case: Case) -> LabelFigures | None:
    return case.evidence.data.labels if case.evidence.data is not None else None


def _numbers(samples: Sequence[int]) -> str:
    return f", such as samples {', '.join(map(str, samples))}" if samples else ""


def _exact(name: str, limit: float, unit: str, value: float, reason: str, samples: int) -> Verdict:
    outcome = at_most(value, value, limit)
    return Verdict(name, outcome, limit, unit, reason, float(value), samples=samples)


DATA_JUDGES: dict[str, Judge] = {
    "schema.max_mismatch_share": _mismatch_share,
    "schema.max_not_finite_share": _not_finite_share,
    "schema.max_outside_share": _outside_share,
    "drift.max_ks": _max_ks,
    "drift.max_psi": _max_psi,
    "labels.max_disagreement_share": _disagreement_share,
    "labels.max_conflicts": _max_conflicts,
    "labels.min_class_samples": _min_class_samples,
}
