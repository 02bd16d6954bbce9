"""A model that is packed as it is: scored and given goldens, but not rewritten.

A .tflite holds its runtime's own graph. What made it decided what is int8 in it.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from edgekit.engines import Array
from edgekit_converters.calibrate import SPLIT, Calibration, FeedSampler, Range, never_ran
from edgekit_converters.candidate import Candidate
from edgekit_converters.evaluate import remembering, running
from edgekit_converters.recipe import AS_IS
from edgekit_converters.search import SearchResult
from edgekit_converters.workbench import Job, write_file


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
    clean = replace(clean, evaluation=job.judge(evaluation, evaluation))
    return SearchResult(job, (), calibration, "", clean, (), clean, 0)


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
