"""What every candidate starts from and is compared with: the fp32 model, as it came and clean."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from onnx import ModelProto

from edgekit.engines import Array, open_engine
from edgekit.errors import EdgekitError, ModelError, StorageError, TaskError
from edgekit.measure.accuracy import Predictions, compare_scores
from edgekit.task import Task
from edgekit_converters.calibration.calibrate import calibrate, never_ran
from edgekit_converters.calibration.calls import Calls
from edgekit_converters.calibration.observe import DEFAULT_MEMORY_BYTES
from edgekit_converters.calibration.shelf import Shelf
from edgekit_converters.contained.risks import Risks
from edgekit_converters.costs.cost import Cost, Meter, Place, meter_for
from edgekit_converters.importers import Source
from edgekit_converters.passes import (
    DEFAULT_PASSES,
    FORMS,
    NEEDED,
    Form,
    PassReport,
    apply_passes,
    choose_forms,
)
from edgekit_converters.progress import Progress
from edgekit_converters.recipes.finish import finished
from edgekit_converters.recipes.recipe import AS_IS, FP32, Maker
from edgekit_converters.search.cache import Cache, NoCache, remembered
from edgekit_converters.search.candidate import Candidate, Judged, describe_cost
from edgekit_converters.search.effort import Effort
from edgekit_converters.search.evaluate import check_score, predict_with
from edgekit_converters.search.goal import Goal
from edgekit_converters.search.ground import Ground, Grounds
from edgekit_converters.search.identity import digest_of
from edgekit_converters.targets import Target

T = TypeVar("T")
CHECKED_FEEDS = 4
"""Calls on which each pass is compared with the model before it."""
HERE = Place("latency", "local")


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
        place: where cost is measured.
        effort: how much CPU time the search may take.
        cache: what earlier searches found out.
        risks: what ended an earlier process of this search.
        identity: digest of all that this search depends on.
        data: digest of the task's code and samples; None where samples have none.
        memory_bytes: that it may take.
        forms: rewrites that are tried and must pay.
        engines: other libraries that may make a candidate.
        sparse: whether zeros among the weights are tried, for size in transfer.
    """

    source: Source
    task: Task
    target: Target
    goal: Goal
    folder: Path
    seed: int
    progress: Progress
    place: Place = HERE
    effort: Effort = field(default_factory=Effort)
    cache: Cache = field(default_factory=NoCache)
    risks: Risks = field(default_factory=Risks)
    identity: str = ""
    data: str | None = None
    memory_bytes: int = DEFAULT_MEMORY_BYTES
    forms: tuple[Form, ...] = FORMS
    engines: tuple[Maker, ...] = ()
    sparse: bool = False

    def remember(self, kind: type[T], make: Callable[[], T], *parts: str | None) -> T:
        """What an identical search found out under these names, or what `make` makes now."""
        return remembered(self.cache, digest_of(self.identity, *parts), kind, make)

    def predict(self, model: Path, split: str, what: str, total: int | None) -> Predictions:
        """Answers of a model file, with progress."""
        self.progress.start(f"{what} on the {split} split", total)
        return predict_with(model, self.task, split, self.progress.advance)

    @property
    def passes_seen(self) -> Cache:
        """Passes over the calibration split: kept until the search ends, see `shelf`."""
        return self.cache.within(digest_of(self.identity, "passes"))

    @property
    def shelf(self) -> Shelf:
        """Where passes over the calibration split go on from."""
        return Shelf(self.passes_seen, self.progress.note)

    @contextmanager
    def shelving(self) -> Iterator[None]:
        """Forget such passes when the search ends, also in an error; not where it is ended."""
        try:
            yield
        except EdgekitError:
            self.passes_seen.clear()
            raise
        self.passes_seen.clear()

    @property
    def is_local(self) -> bool:
        """Whether this machine is the target: then its own layouts may be shipped."""
        return self.place == HERE

    def shipped(self, content: bytes) -> bytes:
        """A model in the form that is shipped, and so measured and scored."""
        is_run = self.place.kind != "operations"  # the table of operations knows the plain ones
        return self.stored(content) if is_run else content

    def stored(self, content: bytes) -> bytes:
        """A model with all of the runtime's rewriting that this machine can do for the target."""
        if self.is_local:
            return finished(content)
        return finished(content, "aarch64" if self.target.is_arm else "x86_64")

    def judge(self, reference: Predictions, answers: Predictions) -> Judged:
        """Answers against those of the model that came, on the same split."""
        drop = compare_scores(
            self.task, reference, answers, limit=self.goal.max_drop, seed=self.seed
        )
        return Judged(answers.score, drop)


@dataclass(frozen=True)
class Workbench:
    """The fp32 model and what is known of it.

    Attributes:
        source: the file that came, the baseline of every figure.
        clean: what the passes made of it: the first candidate.
        passes: what became of each pass.
        grounds: graphs and calibration that recipes start from.
        expected: outputs of the model that came, for each of the calibration's feeds.
        reference: its answers on the calibration split.
        evaluation: its answers on the evaluation split.
        meter: how cost is measured.
    """

    source: Candidate
    clean: Candidate
    passes: tuple[PassReport, ...]
    grounds: Grounds
    expected: tuple[dict[str, Array], ...]
    reference: Predictions
    evaluation: Predictions
    meter: Meter


def prepare(job: Job) -> Workbench:
    """Clean the model, find its ranges, measure and score it.

    Raises:
        ModelError: it is a .tflite, or fails on an input.
        TaskError: the task breaks a promise.
        TargetError: the device is not the target.
        DeviceError: the device cannot be reached.
    """
    graph = _graph(job.source)
    as_it_came = write_file(job.folder / "source.onnx", job.source.content)
    calls = Calls(job.seed)
    reference, evaluation = (
        _answers(as_it_came, job, split, calls) for split in ("calibration", "evaluation")
    )
    if not calls.kept:
        raise never_ran(job.task, len(reference.labels))
    check_feeds(calls, job)
    check_score(job.task, reference, "calibration")
    check_score(job.task, evaluation, "evaluation")
    source = Candidate(
        AS_IS,
        verdict="baseline",
        why="every figure is against it",
        path=as_it_came,
        size_bytes=len(job.source.content),
        sha256=job.source.sha256,
        calibration=job.judge(reference, reference),
        evaluation=job.judge(evaluation, evaluation),
    )
    meter = meter_for(job.target, job.place, calls.kept, job.seed)
    start = job.remember(
        Start, lambda: _start(graph, source, reference, calls, job, meter), "clean"
    )
    clean = replace(start.clean, path=write_file(job.folder / f"{FP32.name}.onnx", start.shipped))
    model = ModelProto.FromString(start.model)
    ground = _ground(job, model)
    expected = tuple(_outputs(as_it_came, ground))
    grounds = Grounds(ground, job)
    return Workbench(source, clean, start.passes, grounds, expected, reference, evaluation, meter)


def _answers(path: Path, job: Job, split: str, calls: Calls) -> Predictions:
    job.progress.start(f"scoring the model that came on the {split} split", None)
    watch = calls.calibrating if split == "calibration" else calls.evaluating
    with job.effort.timing(split):
        return predict_with(path, job.task, split, job.progress.advance, watch)


def check_feeds(calls: Calls, job: Job) -> None:
    """Refuse a task that feeds nothing, and tell of an input to which it feeds nothing.

    Raises:
        TaskError: every input was empty in every call.
    """
    empty = calls.without_elements()
    if empty and not calls.kept[0].keys() - set(empty):
        problem = f"predict() feeds no element to {', '.join(map(repr, empty))} in any call"
        raise TaskError(job.task.thing, problem, "feed what the samples hold")
    for name in empty:
        line = f"input {name!r} is empty in every call: what depends on it alone has no ranges"
        job.progress.note(line)


@dataclass(frozen=True)
class Start:
    """The clean model, as it is kept between searches.

    Attributes:
        model: its graph, which recipes start from.
        shipped: the same in the form that is shipped.
        passes: what became of each pass.
        clean: its figures.
    """

    model: bytes
    shipped: bytes
    passes: tuple[PassReport, ...]
    clean: Candidate


def _start(
    graph: ModelProto,
    source: Candidate,
    reference: Predictions,
    calls: Calls,
    job: Job,
    meter: Meter,
) -> Start:
    model, passes = clean_up(graph, job, calls, meter)
    lost = ""
    try:
        clean = _fp32(job, "the clean model", model, source, reference, meter)
        if clean.cost is not None and clean.cost.is_dearer:
            lost = f"slower than the model that came: {describe_cost(clean.cost)}"
    except ModelError as error:
        lost = f"refused: {error.problem}"
    if lost:
        model, passes = drop_passes(graph, passes, calls, f"the result is {lost}")
        job.progress.note(f"the clean model is {lost}; no pass is kept")
        clean = _fp32(job, "the model as it came, loaded", model, source, reference, meter)
    content = model.SerializeToString(deterministic=True)
    return Start(content, clean.file.read_bytes(), passes, replace(clean, path=None))


def _graph(source: Source) -> ModelProto:
    if source.model is None:
        thing = f"model {str(source.path)!r}"
        problem = "a .tflite model cannot be quantized or rewritten here, only packed as it is"
        raise ModelError(thing, problem, "optimize the .onnx it was made from")
    return source.model


def drop_passes(
    source: ModelProto, passes: Sequence[PassReport], calls: Calls, note: str
) -> tuple[ModelProto, tuple[PassReport, ...]]:
    """The model with those passes only that recipes need, and what became of each pass."""
    model, needed = apply_passes(NEEDED, source, calls.kept[:CHECKED_FEEDS])
    known = {each.name: each for each in needed}
    reports = (
        known.get(each.name, replace(each, outcome="reverted", note=note)) for each in passes
    )
    return model, tuple(reports)


def clean_up(
    source: ModelProto, job: Job, calls: Calls, meter: Meter
) -> tuple[ModelProto, tuple[PassReport, ...]]:
    """Passes that always help, then the forms that a measurement says pay here."""
    job.progress.start("cleaning the model", None)
    take = job.risks.take
    model, passes = apply_passes(DEFAULT_PASSES, source, calls.kept[:CHECKED_FEEDS], take)

    def compare(before: ModelProto, after: ModelProto) -> Cost:
        files = [
            write_file(job.folder / f"{name}.onnx", job.shipped(each.SerializeToString()))
            for name, each in (("before", before), ("after", after))
        ]
        return meter.screen(*files)

    job.progress.start("measuring other forms of it", None)
    feeds = calls.every_shape(CHECKED_FEEDS)
    model, forms = choose_forms(job.forms, model, feeds, compare, CHECKED_FEEDS, take)
    for report in (*passes, *forms):
        job.progress.note(f"pass {report.name}: {report.outcome}, {report.note}")
    return model, (*passes, *forms)


def _ground(job: Job, model: ModelProto) -> Ground:
    job.risks.rest()
    job.progress.start("calibrating", None)
    with job.effort.timing("calibrating"):
        calibration = calibrate(
            model, job.task, seed=job.seed, progress=job.progress.advance, shelf=job.shelf
        )
    return Ground(model, job.task, calibration, memory_bytes=job.memory_bytes, shelf=job.shelf)


def _fp32(
    job: Job,
    what: str,
    model: ModelProto,
    source: Candidate,
    reference: Predictions,
    meter: Meter,
) -> Candidate:
    """A float model in the form that is shipped, measured and scored.

    Raises:
        ModelError: it does not run, or ended a process.
    """
    job.risks.take(what)
    content = job.shipped(model.SerializeToString(deterministic=True))
    path = write_file(job.folder / f"{FP32.name}.onnx", content)
    job.progress.start(f"measuring {what} against the one that came", None)
    with job.effort.timing("screen"):
        cost = meter.screen(source.file, path)
    answers = job.predict(path, "calibration", "scoring fp32", len(reference.labels))
    return Candidate(
        FP32,
        verdict="in budget",
        why="another one is cheaper",
        path=path,
        size_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        cost=cost,
        calibration=job.judge(reference, answers),
    )


def _outputs(path: Path, ground: Ground) -> list[dict[str, Array]]:
    engine = open_engine("onnxruntime", path)
    try:
        return [engine.run(feeds) for feeds in ground.calibration.feeds]
    finally:
        engine.close()


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
