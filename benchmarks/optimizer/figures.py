"""A made model against the fp32 file that came: speed, score, size, load; measured here."""

import hashlib
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from cases import Workload
from edgekit_converters.calibration.calibrate import first_feeds
from edgekit_converters.search.evaluate import predict_with, remembering
from edgekit_converters.search.identity import data_digest
from feeds import calibration_feeds
from kept import remembered
from loading import load_figures

from edgekit.engines import engine_for, open_engine
from edgekit.errors import DeviceError, EdgekitError
from edgekit.measure.accuracy import Predictions, compare_scores
from edgekit.measure.devices import open_device
from edgekit.measure.environment import local_environment
from edgekit.measure.latency import Sampling, measure
from edgekit.measure.recording import BASELINE, CANDIDATE
from edgekit.measure.samples import Samples, given_samples
from edgekit.task import Task, load_task

FEEDS = 8
SAMPLING = Sampling(threads=1, processes=3, max_calls=600, max_s=30.0)
LOST = Sampling(threads=1, processes=3, max_calls=60, max_s=6.0)
"""For what is out of budget: its speed counts for nothing, but is told."""


class Judge:
    """One workload's fp32 model, run once, and what it is compared on."""

    def __init__(self, workload: Workload, max_drop: float, keep: Path) -> None:
        self._source = workload.model
        self._max_drop = max_drop
        self._task: Task = remembering(load_task(workload.task))
        self._answers: Predictions = predict_with(workload.model, self._task, "evaluation")
        engine = open_engine(engine_for(workload.model), workload.model)
        self._samples: Samples = given_samples(first_feeds(engine, self._task, FEEDS))
        engine.close()
        self._keep = keep
        self.data = data_digest(self._task)
        """Digest of the task's samples and code."""
        self.is_tflite = workload.model.suffix == ".tflite"
        self.feeds = [] if self.is_tflite else calibration_feeds(workload.model, self._task)
        """What peers calibrate on."""

    def score(self, path: Path) -> dict[str, Any]:
        """On the evaluation split, with the paired interval of the drop."""
        answers = predict_with(path, self._task, "evaluation")
        drop = compare_scores(self._task, self._answers, answers, limit=self._max_drop)
        return {
            "fp32_score": self._answers.score,
            "score": answers.score,
            "drop": msgspec.to_builtins(drop),
            "in_budget": drop.point <= self._max_drop,
        }

    def time(self, path: Path, sampling: Sampling) -> dict[str, Any]:
        """Interleaved with the fp32 file, one thread, in fresh processes."""
        measured = measure({BASELINE: self._source, CANDIDATE: path}, self._samples, sampling)
        found = measured.comparison()
        return {
            "speed_up": 1 / found.ratio.point,
            "speed_up_low": 1 / found.ratio.high,
            "speed_up_high": 1 / found.ratio.low if found.ratio.low > 0 else None,
            "fp32_ms": found.baseline.latency_ms.p50,
            "ms": found.candidate.latency_ms.p50,
            **load_figures(self._source, path),
            "environment": msgspec.to_builtins(found.environment),
        }

    def count(self, path: Path, url: str) -> dict[str, Any]:
        """Instructions of one inference on an emulated CPU, against the fp32 file's."""
        fp32, made = (
            remembered(self._keep, self._counts_on(each, url), partial(self._counted, each, url))
            for each in (self._source, path)
        )
        return {"fp32_instructions": fp32, "instructions": made, "fewer": fp32 / made}

    def _counted(self, path: Path, url: str) -> int:
        counted = open_device(url).measure(path, self._samples).counted
        if counted is None:
            raise DeviceError(url, "it counted nothing", "take an arm:// address")
        return counted.inference.instructions

    def _counts_on(self, path: Path, url: str) -> list[Any]:
        """What a count depends on."""
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        return [content, self.data, FEEDS, url, local_environment().versions]

    def size(self, path: Path) -> dict[str, Any]:
        """Of both files."""
        return {"fp32_bytes": self._source.stat().st_size, "bytes": path.stat().st_size}

    def figures(self, path: Path) -> dict[str, Any]:
        """All that is measured on this machine; a model that does not run has a problem instead."""
        try:
            found = self.size(path) | self.score(path)
            return found | self.time(path, SAMPLING if found["in_budget"] else LOST)
        except EdgekitError as error:
            return {"problem": error.problem}

    def counts(self, path: Path, url: str) -> dict[str, Any]:
        """Score and instructions on an emulated CPU, of what was made for it."""
        try:
            return self.size(path) | self.score(path) | self.count(path, url)
        except EdgekitError as error:
            return {"problem": error.problem}
