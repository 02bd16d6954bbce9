"""Time the candidate and its baselines in turns: on this machine or on a board."""

from pathlib import Path

from edgekit.budget import Budget
from edgekit.errors import UsageError
from edgekit.gate.wanted import LOCAL, Wanted
from edgekit.measure.contained import contained_model
from edgekit.measure.devices import open_device
from edgekit.measure.devices.remote import BoardDevice
from edgekit.measure.latency import Measured, Sampling, measure
from edgekit.measure.recording import CANDIDATE, baseline_role
from edgekit.measure.samples import (
    Samples,
    golden_feeds,
    golden_samples,
    model_inputs,
    synthetic_samples,
    task_samples,
)
from edgekit.statistics import samples_for_quantile
from edgekit.task import Task

ENOUGH_CALLS = 240  # a side, where no limit says how many are needed
MOST_CALLS = 960


def reach(url: str) -> BoardDevice | None:
    """The board of an address, reached and set up; None for this machine.

    Raises:
        DeviceError: it cannot be reached or set up: named wrongly, or not ready.
        UsageError: it has no clock.
    """
    if url == LOCAL:
        return None
    device = open_device(url)
    if not isinstance(device, BoardDevice):
        raise UsageError(f"device {url!r}", "it has no clock", "time on local or on a board")
    device.describe()
    return device


def time_sides(
    wanted: Wanted, budget: Budget, samples: Samples, board: BoardDevice | None
) -> Measured:
    """Time all sides, on a board or on this machine.

    Raises:
        CrashError: a model ended or hung the process that ran it.
        DeviceError: the board disappeared.
        EdgekitError: a model cannot be run there.
    """
    sides = sides_of(wanted)
    sampling = sampling_for(budget, wanted)
    if board is None:
        return measure(sides, samples, sampling)
    try:
        return board.compare(sides, samples, sampling)
    finally:
        board.close()


def sides_of(wanted: Wanted) -> dict[str, Path]:
    """Files by role; baselines first."""
    baselines = {baseline_role(number): path for number, path in enumerate(wanted.baselines)}
    return {**baselines, CANDIDATE: wanted.candidate}


def sampling_for(budget: Budget, wanted: Wanted) -> Sampling:
    """How much to time: until the ratios are settled, and twice what a percentile needs at least.

    The number for a percentile is fixed beforehand, because its bound holds for one look only.
    """
    limits = budget.latency
    quantiles = {0.5: limits.p50_ms, 0.95: limits.p95_ms, 0.99: limits.p99_ms}
    needed = [2 * samples_for_quantile(q) for q, limit in quantiles.items() if limit is not None]
    compares = bool(wanted.baselines)
    ratios = (limits.max_ratio,) if compares and limits.max_ratio is not None else ()
    return Sampling(
        threads=wanted.threads,
        seed=wanted.seed,
        processes=max(3, len(wanted.baselines) + 2),  # so that each side is loaded first once
        min_calls=max(needed, default=0),
        max_calls=MOST_CALLS if ratios else ENOUGH_CALLS,
        max_s=wanted.max_s,
        timeout_s=wanted.timeout_s,
        limits=ratios,
        noise=compares,
    )


def samples_for(wanted: Wanted, task: Task | None) -> Samples:
    """Golden raw inputs where all files have them, else what the task feeds, else noise.

    Raises:
        CrashError: a model ended or hung the process that was to tell its inputs.
        EdgekitError: a model cannot be loaded, or the task breaks its promise.
    """
    files = (wanted.candidate, *wanted.baselines)
    if wanted.candidate.suffix == ".edgekit":
        all_bundles = all(path.suffix == ".edgekit" for path in files)
        samples = (golden_samples if all_bundles else golden_feeds)(wanted.candidate)
        if samples is not None:
            return samples
    told_by = wanted.baselines[0] if wanted.baselines else wanted.candidate
    if task is None:
        return synthetic_samples(model_inputs(told_by), wanted.seed)
    with contained_model(told_by, timeout_s=wanted.timeout_s) as model:
        return task_samples(task, model.run)
