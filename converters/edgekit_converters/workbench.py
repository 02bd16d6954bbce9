"""What every candidate starts from and is compared with: the clean fp32 model and its figures."""

from dataclasses import dataclass, replace
from pathlib import Path

from onnx import ModelProto

from edgekit.engines import open_engine
from edgekit.errors import ModelError, StorageError
from edgekit.measure.accuracy import Predictions, compare_scores
from edgekit.task import Task
from edgekit_converters.calibrate import Calibration, calibrate, first_feeds
from edgekit_converters.candidate import Candidate, Judged, describe_cost
from edgekit_converters.cost import Cost, Meter, meter_for
from edgekit_converters.evaluate import predict_with
from edgekit_converters.goal import Goal
from edgekit_converters.importers import Source
from edgekit_converters.passes import DEFAULT_PASSES, Feeds, PassReport, apply_passes
from edgekit_converters.progress import Progress
from edgekit_converters.recipe import FP32
from edgekit_converters.targets import Target

CHECKED_FEEDS = 4
"""Calls on which each pass is compared with the model before it."""


@dataclass(frozen=True)
class Job:
    """What a search was asked for.

    Attributes:
        source: the model as it came.
        task: what it is for.
        target: what to make it for.
        goal: what must hold.
        folder: where candidates are written; whoever made it removes it.
        seed: of every random choice.
        progress: told what is going on.
    """

    source: Source
    task: Task
    target: Target
    goal: Goal
    folder: Path
    seed: int
    progress: Progress

    def predict(self, model: Path, split: str, what: str, total: int | None) -> Predictions:
        """Answers of a model file, with progress."""
        self.progress.start(f"{what} on the {split} split", total)
        return predict_with(model, self.task, split, self.progress.advance)

    def judge(self, reference: Predictions, answers: Predictions) -> Judged:
        """Answers against the clean model's on the same split."""
        drop = compare_scores(
            self.task, reference, answers, limit=self.goal.max_drop, seed=self.seed
        )
        return Judged(answers.score, drop)


@dataclass(frozen=True)
class Workbench:
    """The clean fp32 model and what is known of it.

    Attributes:
        model: its graph.
        clean: its file and score.
        clean_cost: against the model as it came.
        passes: what became of each pass.
        calibration: ranges, and feeds for measuring.
        reference: its answers on the calibration split.
        meter: how cost is measured.
    """

    model: ModelProto
    clean: Candidate
    clean_cost: Cost
    passes: tuple[PassReport, ...]
    calibration: Calibration
    reference: Predictions
    meter: Meter


def prepare(job: Job) -> Workbench:
    """Clean the model, find its ranges, measure and score it.

    Raises:
        ModelError: it is a .tflite, or fails on an input.
        TaskError: the task breaks a promise.
    """
    source = _graph(job.source)
    model, passes, calibration = _clean(job, source, _feeds(job))
    as_it_came = write_file(job.folder / "source.onnx", job.source.content)
    path = write_file(job.folder / "fp32.onnx", model.SerializeToString(deterministic=True))
    job.progress.start("measuring the clean model against the one that came", None)
    meter = meter_for(job.target, calibration.feeds, job.seed)
    cost = meter.screen(as_it_came, path)
    if cost.is_dearer:
        note = f"the result is slower than the model that came: {describe_cost(cost)}"
        passes = tuple(replace(each, outcome="reverted", note=note) for each in passes)
        model, path = source, as_it_came
        calibration = calibrate(model, job.task, seed=job.seed)
        cost = meter.screen(as_it_came, path)
    reference = job.predict(path, "calibration", "scoring fp32", calibration.samples)
    judged = job.judge(reference, reference)
    clean = Candidate(FP32, path=path, size_bytes=path.stat().st_size, calibration=judged)
    return Workbench(model, clean, cost, passes, calibration, reference, meter)


def _graph(source: Source) -> ModelProto:
    if source.model is None:
        thing = f"model {str(source.path)!r}"
        problem = "a .tflite model cannot be quantized or rewritten here, only packed as it is"
        raise ModelError(thing, problem, "optimize the .onnx it was made from")
    return source.model


def _feeds(job: Job) -> list[Feeds]:
    engine = open_engine(job.source.engine, job.source.content)
    try:
        return list(first_feeds(engine, job.task, CHECKED_FEEDS))
    finally:
        engine.close()


def _clean(
    job: Job, source: ModelProto, feeds: list[Feeds]
) -> tuple[ModelProto, tuple[PassReport, ...], Calibration]:
    job.progress.start("cleaning the model", None)
    model, passes = apply_passes(DEFAULT_PASSES, source, feeds)
    for report in passes:
        job.progress.note(f"pass {report.name}: {report.outcome}, {report.note}")
    job.progress.start("calibrating", None)
    calibration = calibrate(model, job.task, seed=job.seed, progress=job.progress.advance)
    return model, tuple(passes), calibration


def write_file(path: Path, content: bytes) -> Path:
    """Write a file of the working folder.

    Raises:
        StorageError: it cannot be written.
    """
    try:
        path.write_bytes(content)
    except OSError as error:
        problem = f"it cannot be written ({error.strerror or error})"
        raise StorageError(f"file {str(path)!r}", problem, "free some space") from error
    return path
