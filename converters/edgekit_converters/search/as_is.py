"""A model that is packed as it is: scored and given goldens, but not rewritten.

A .tflite holds its runtime's own graph. What made it decided what is int8 in it.
"""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np

from edgekit.engines import Array, open_engine
from edgekit.errors import EdgekitError
from edgekit_converters.calibration.calibrate import (
    SPLIT,
    Calibration,
    FeedSampler,
    Range,
    first_feeds,
    never_ran,
)
from edgekit_converters.costs.cost import meter_for, why_not_here
from edgekit_converters.recipes.recipe import AS_IS
from edgekit_converters.search.candidate import Candidate
from edgekit_converters.search.evaluate import check_score, remembering, running
from edgekit_converters.search.search import SearchResult
from edgekit_converters.search.workbench import HERE, Job, write_file

REPEATED_CALLS = 64


def take_as_is(job: Job) -> SearchResult:
    """Score a model and make it the chosen one.

    Raises:
        TaskError: the task breaks a promise.
        ModelError: the model fails on an input.
    """
    job = replace(job, task=remembering(job.task))
    name = f"{AS_IS.name}{job.source.path.suffix}"
    path = write_file(job.folder / name, job.source.content)
    clean = Candidate(
        AS_IS,
        verdict="chosen",
        why=f"a {job.source.path.suffix} model is packed as it is",
        path=path,
        size_bytes=len(job.source.content),
    )
    calibration = watch(clean, job)
    evaluation = job.predict(path, "evaluation", "scoring the model", None)
    check_score(job.task, evaluation, "evaluation")
    note = "; ".join(filter(None, (repeated(job), latency(path, calibration, job))))
    clean = replace(clean, evaluation=job.judge(evaluation, evaluation), note=note)
    return SearchResult(job, (), calibration, "", clean, (), clean, 0)


def repeated(job: Job) -> str:
    """Whether the same calls give the same bits in two fresh interpreters, in words.

    A bundle's self-test asks that of a device; state that calls leave behind is part of it.
    """
    job.progress.start("repeating calls", None)
    with closing(open_engine(job.source.engine, job.source.content)) as engine:
        calls = first_feeds(engine, job.task, REPEATED_CALLS)
    answers = []
    for _ in range(2):
        with closing(open_engine(job.source.engine, job.source.content)) as engine:
            answers.append([engine.run(call) for call in calls])
    differing = sum(
        one[name].tobytes() != other[name].tobytes()
        for one, other in zip(*answers, strict=True)
        for name in one
    )
    if differing:
        return f"{differing} outputs of {len(calls)} calls differ when they are repeated"
    return f"{len(calls)} calls repeat bit for bit"


def latency(path: Path, calibration: Calibration, job: Job) -> str:
    """What one inference takes, in words; nothing where this machine is not the target."""
    if why_not_here(job.target) is not None:
        return ""
    job.progress.start("measuring the model", None)
    try:
        cost = meter_for(job.target, HERE, calibration.feeds, job.seed).screen(path, path)
    except EdgekitError as error:
        return f"not measured: {error.problem}"
    return f"{cost.candidate:.3g} {cost.unit}, {cost.samples} calls here"


def watch(candidate: Candidate, job: Job) -> Calibration:
    """Feeds of some calls on the calibration split, and the ranges of inputs and outputs.

    Raises:
        TaskError: the split never feeds the model.
    """
    ranges: dict[str, Range] = {}
    sampler = FeedSampler(job.seed)
    samples = 0
    with running(candidate.file) as run:

        def watched(feeds: Mapping[str, Array]) -> dict[str, Array]:
            outputs = run(feeds)
            sampler.add(feeds)
            for name, array in (*feeds.items(), *outputs.items()):
                if array.dtype.kind in "fiu" and array.size and np.isfinite(array).all():
                    found = Range(float(array.min()), float(array.max()))
                    ranges[name] = ranges.get(name, found) | found
            return outputs

        for raw, _label, _group in job.task.samples(SPLIT):
            samples += 1
            job.task.predict(watched, raw)
    if not sampler.kept:
        raise never_ran(job.task, samples)
    return Calibration(ranges, tuple(sampler.kept), samples, sampler.seen)
