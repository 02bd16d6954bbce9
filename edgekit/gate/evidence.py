"""Everything the gate measures about a candidate, with or without baselines."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from edgekit.budget import Budget
from edgekit.errors import CrashError, DeviceError, UsageError
from edgekit.gate.counted import InstructionFigures, count_sides
from edgekit.gate.looked import look, source_of
from edgekit.gate.redact import redact
from edgekit.gate.scored import Accuracy, score_sides
from edgekit.gate.subject import Subject, look_at
from edgekit.gate.timed import ENOUGH_CALLS, reach, samples_for, time_sides
from edgekit.gate.wanted import Places, Wanted, places
from edgekit.measure.dataset import DataFigures
from edgekit.measure.latency import Measured, Sampling, measure
from edgekit.measure.recording import CANDIDATE
from edgekit.measure.samples import Samples, model_inputs, synthetic_samples
from edgekit.task import Task, load_task

TIMING, INSTRUCTIONS, ACCURACY, DATA = "timing", "instructions", "accuracy", "data"
CRASHED = "not measured, because the candidate crashed"


@dataclass(frozen=True)
class Evidence:
    """All of it.

    Attributes:
        candidate: what is judged.
        baselines: what it is compared with.
        timing: call times of all of them.
        accuracy: what the task says of them.
        counts: on each emulated CPU.
        data: what a look at the data showed, where the budget asks for one.
        crash: how the candidate ended its process, where it did.
        missing: why `TIMING`, `INSTRUCTIONS`, `ACCURACY` or `DATA` was not measured.
    """

    candidate: Subject
    baselines: tuple[Subject, ...] = ()
    timing: Measured | None = None
    accuracy: Accuracy | None = None
    counts: tuple[InstructionFigures, ...] = ()
    data: DataFigures | None = None
    crash: str | None = None
    missing: Mapping[str, str] = field(default_factory=dict)


def gather(wanted: Wanted, budget: Budget) -> Evidence:
    """Measure what there is to measure; every model runs in processes of its own.

    Raises:
        DeviceError: a device cannot be reached. One that disappears later is no error: what it
            should have told is missing.
        EdgekitError: a file is missing or damaged, a baseline is for another target or crashes,
            or the task breaks its promise.
    """
    where = places(wanted.devices)
    candidate = look_at(wanted.candidate)
    baselines = tuple(look_at(path) for path in wanted.baselines)
    for baseline in baselines:
        _check_target(candidate, baseline)
    task = load_task(wanted.task) if wanted.task else None
    source = source_of(wanted, budget, task)
    evidence = Evidence(candidate, baselines, missing=_unasked(where, task))
    try:
        samples = samples_for(wanted, task)
        evidence = _with_timing(evidence, wanted, budget, samples, where.timed)
        for url in where.counted:
            counts = (*evidence.counts, count_sides(wanted, samples, url))
            evidence = replace(evidence, counts=counts)
        if task is not None:
            evidence = replace(evidence, accuracy=score_sides(wanted, budget, task))
        if source is not None:
            evidence = replace(evidence, data=look(wanted, budget, source))
    except CrashError as error:
        _blame(error, wanted)
        missing = dict.fromkeys((TIMING, INSTRUCTIONS, ACCURACY, DATA), CRASHED)
        return replace(evidence, crash=redact(error.problem), missing=missing)
    return evidence


def _unasked(where: Places, task: Task | None) -> dict[str, str]:
    """What nobody asked to be measured, and how to ask."""
    missing = {}
    if where.timed is None:
        missing[TIMING] = "nothing was timed: give --device local too, or a board"
    if not where.counted:
        missing[INSTRUCTIONS] = (
            "instructions are counted on an emulated Arm CPU: give --device arm://cortex-a76"
        )
    if task is None:
        missing[ACCURACY] = "nothing to score with: give --task"
        missing[DATA] = "no data to look at: give --data, or --task for its evaluation split"
    return missing


def _with_timing(
    evidence: Evidence, wanted: Wanted, budget: Budget, samples: Samples, url: str | None
) -> Evidence:
    if url is None:
        return evidence
    board = reach(url)
    try:
        timing = time_sides(wanted, budget, samples, board)
    except DeviceError as error:
        problem = redact(f"the device disappeared: {error.problem}")
        return replace(evidence, missing={**evidence.missing, TIMING: problem})
    return replace(evidence, timing=timing)


def _check_target(candidate: Subject, baseline: Subject) -> None:
    if None in (candidate.target, baseline.target) or candidate.target == baseline.target:
        return
    problem = f"it was made for {baseline.target}, the candidate for {candidate.target}"
    way_out = "take the baseline of the same target"
    raise UsageError(f"baseline {baseline.file!r}", problem, way_out)


def _blame(error: CrashError, wanted: Wanted) -> None:
    """Return if the crash is the candidate's; a baseline that crashes is no baseline.

    Raises:
        CrashError: a baseline crashes.
    """
    thing = _thing(wanted.candidate)
    if not wanted.baselines or error.thing == thing:
        return
    if thing not in error.thing:
        raise error
    # it happened while all ran in turns: the baselines alone tell whose fault it was
    for baseline in wanted.baselines:
        samples = synthetic_samples(model_inputs(baseline), wanted.seed)
        sampling = Sampling(
            processes=1, max_calls=ENOUGH_CALLS, max_s=wanted.max_s, timeout_s=wanted.timeout_s
        )
        measure({CANDIDATE: baseline}, samples, sampling)


def _thing(path: Path) -> str:
    return f"model {str(path)!r}"
