"""Budget and evidence → one verdict for every limit, every baseline and every device it is for.

None is skipped: what cannot be judged is INCONCLUSIVE and says what is missing.
"""

from collections.abc import Iterator

from msgspec.structs import replace

from edgekit.budget import Budget
from edgekit.gate.accuracy_limits import ACCURACY_JUDGES, judge_metric
from edgekit.gate.budget import METRICS, limits
from edgekit.gate.case import Case, Judge, missing
from edgekit.gate.cost_limits import COST_JUDGES, INSTRUCTION_JUDGES
from edgekit.gate.data_limits import DATA_JUDGES
from edgekit.gate.evidence import Evidence
from edgekit.gate.verdict import Outcome, Verdict

NO_BASELINE = "nothing to compare with: give --baseline"
NOT_MEASURED = {
    "placement": "placement is told by an NPU's compiler, which this gate did not run",
}

JUDGES: dict[str, Judge] = {
    **ACCURACY_JUDGES,
    **COST_JUDGES,
    **INSTRUCTION_JUDGES,
    **DATA_JUDGES,
}
RELATIVE = frozenset(
    {
        "accuracy.max_drop",
        "accuracy.min_agreement",
        "explanation.min_rank_agreement",
        "latency.max_ratio",
        "instructions.max_ratio",
        "memory.max_ratio",
        "size.max_ratio",
    }
)
"""Limits against a baseline; those of `metrics.NAME.max_drop` are too."""


def judge(budget: Budget, evidence: Evidence) -> tuple[Verdict, ...]:
    """Judge every limit that the budget sets.

    Args:
        budget: the limits.
        evidence: what was measured.

    Returns:
        A verdict for each limit in the order of the schema, once for each baseline and each
        emulated CPU that it is judged with; first, if the candidate crashed, a FAIL on the
        condition that it runs at all.
    """
    verdicts = [
        verdict
        for name, limit in limits(budget).items()
        for verdict in _verdicts(name, limit, budget, evidence)
    ]
    if evidence.crash is not None:
        failed = Verdict("runs", Outcome.FAIL, None, "", f"the candidate crashed: {evidence.crash}")
        verdicts.insert(0, failed)
    return tuple(verdicts)


def _verdicts(
    name: str, limit: float | str, budget: Budget, evidence: Evidence
) -> Iterator[Verdict]:
    chosen = judge_metric if name.startswith(f"{METRICS}.") else JUDGES.get(name)
    if chosen is None or isinstance(limit, str):
        yield missing(name, limit, "", NOT_MEASURED[name.partition(".")[0]])
        return
    relative = name in RELATIVE or (chosen is judge_metric and name.endswith(".max_drop"))
    if relative and not evidence.baselines:
        yield missing(name, limit, "", NO_BASELINE)
        return
    for case in _cases(name, budget, evidence, relative):
        yield _labelled(chosen(name, limit, case), case, relative)


def _cases(name: str, budget: Budget, evidence: Evidence, relative: bool) -> Iterator[Case]:
    baselines = range(len(evidence.baselines)) if relative else range(1)
    devices = range(max(len(evidence.counts), 1)) if name in INSTRUCTION_JUDGES else range(1)
    for baseline in baselines:
        for device in devices:
            yield Case(evidence, budget, baseline, device)


def _labelled(verdict: Verdict, case: Case, relative: bool) -> Verdict:
    """Name baseline and device, where a reader could take them for others."""
    evidence = case.evidence
    if relative and len(evidence.baselines) > 1:
        verdict = replace(verdict, against=baseline_names(evidence)[case.baseline])
    if verdict.budget in INSTRUCTION_JUDGES and len(evidence.counts) > 1:
        verdict = replace(verdict, device=evidence.counts[case.device].device)
    return verdict


def baseline_names(evidence: Evidence) -> list[str]:
    """The file of each baseline, with its number where two are called the same."""
    files = [subject.file for subject in evidence.baselines]
    return [
        file if files.count(file) == 1 else f"{file} (baseline {number})"
        for number, file in enumerate(files, 1)
    ]
