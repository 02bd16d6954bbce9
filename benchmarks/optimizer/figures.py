"""A made model against the fp32 file that came: speed, score, size, load; measured here."""

from pathlib import Path
from typing import Any

import msgspec
from edgekit_converters.calibrate import first_feeds
from edgekit_converters.evaluate import predict_with, remembering
from workloads import Workload

from edgekit.engines import open_engine
from edgekit.errors import EdgekitError
from edgekit.measure.accuracy import Predictions, compare_scores
from edgekit.measure.devices import open_device
from edgekit.measure.latency import Sampling, measure
from edgekit.measure.recording import BASELINE, CANDIDATE
from edgekit.measure.samples import Samples, given_samples
from edgekit.task import Task, load_task

FEEDS = 8
SAMPLING = Sampling(threads=1, processes=3, max_calls=600, max_s=40.0)


class Judge:
    """One workload's fp32 model, run once, and what it is compared on."""

    def __init__(self, workload: Workload, max_drop: float) -> None:
        self._source = workload.model
        self._max_drop = max_drop
        self._task: Task = remembering(load_task(workload.task))
        self._answers: Predictions = predict_with(workload.model, self._task, "evaluation")
        engine = open_engine("onnxruntime", workload.model)
        self._samples: Samples = given_samples(first_feeds(engine, self._task, FEEDS))
        engine.close()
        self._counted: dict[str, int] = {}

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

    def time(self, path: Path) -> dict[str, Any]:
        """Interleaved with the fp32 file, one thread, in fresh processes."""
        measured = measure({BASELINE: self._source, CANDIDATE: path}, self._samples, SAMPLING)
        found = measured.comparison()
        return {
            "speed_up": 1 / found.ratio.point,
            "speed_up_low": 1 / found.ratio.high,
            "speed_up_high": 1 / found.ratio.low if found.ratio.low > 0 else None,
            "fp32_ms": found.baseline.latency_ms.p50,
            "ms": found.candidate.latency_ms.p50,
            "load_speed_up": found.baseline.load_ms / found.candidate.load_ms,
            "fp32_load_ms": found.baseline.load_ms,
            "load_ms": found.candidate.load_ms,
            "environment": msgspec.to_builtins(found.environment),
        }

    def count(self, path: Path, url: str) -> dict[str, Any]:
        """Instructions of one inference on an emulated CPU, against the fp32 file's."""
        device = open_device(url)
        for each in (self._source, path):
            if str(each) not in self._counted:
                counted = device.measure(each, self._samples).counted
                assert counted is not None
                self._counted[str(each)] = counted.inference.instructions
        fp32, made = self._counted[str(self._source)], self._counted[str(path)]
        return {"fp32_instructions": fp32, "instructions": made, "fewer": fp32 / made}

    def size(self, path: Path) -> dict[str, Any]:
        """Of both files."""
        return {"fp32_bytes": self._source.stat().st_size, "bytes": path.stat().st_size}

    def figures(self, path: Path, device: str | None) -> dict[str, Any]:
        """All of them; a model that does not run has a problem instead."""
        try:
            found = self.size(path) | self.score(path) | self.time(path)
            return found | (self.count(path, device) if device else {})
        except EdgekitError as error:
            return {"problem": str(error)}
