"""One recipe tried on one model: made, loaded and run, measured, scored."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import msgspec
import numpy as np

from edgekit.engines import Array, open_engine
from edgekit.errors import CrashError, ModelError
from edgekit_converters.recipes.make import make as make_model
from edgekit_converters.recipes.recipe import Recipe
from edgekit_converters.search.candidate import Candidate, one_line
from edgekit_converters.search.ground import Ground
from edgekit_converters.search.identity import digest_of
from edgekit_converters.search.sparse import sparsified, told
from edgekit_converters.search.tried import arithmetic, family
from edgekit_converters.search.workbench import Job, Workbench, write_file

HOPELESS_DB = 0.0
"""Signal to noise below which no output resembles fp32's: the error is larger than the signal."""
Stage: TypeAlias = Callable[[Candidate, Job, Workbench], Candidate]


@dataclass(frozen=True)
class Built:
    """What a recipe made.

    Attributes:
        content: the .onnx file.
        lowered: how many operators of each type compute in the new precision.
        kept: nodes that the recipe covers and that stayed float, with the reason.
    """

    content: bytes
    lowered: Mapping[str, int]
    kept: Mapping[str, str]


def attempt(
    recipe: Recipe, job: Job, bench: Workbench, before: Sequence[Candidate] = ()
) -> Candidate:
    """Try a recipe; what fails is a candidate with a reason, not an error.

    Args:
        recipe: what to try.
        job: for whom.
        bench: on what.
        before: what was tried; a model that came out of one of them is not tried again.

    Raises:
        TaskError: the task breaks a promise.
        StorageError: the working folder cannot be written.
    """
    known = job.cache.get(_key(recipe, job, bench))
    if known is not None:
        return _unpacked(known, job, before)
    candidate = Candidate(recipe)
    stages: tuple[Stage, ...] = (make, screen, score)
    if recipe.sparse:
        stages = (make, score, weigh)
    elif bench.meter.is_slow:
        stages = (make, score, screen)
    for stage in stages:
        twin = _twin(candidate, before)
        if twin is not None:
            candidate = replace(candidate, verdict="twin", why=f"it is the model of {twin.recipe}")
        is_open = candidate.verdict in ("untried", "in budget")
        is_tempting = stage is screen and _may_be_mended(candidate, before)
        if is_open or is_tempting or stage is weigh:
            candidate = stage(candidate, job, bench)
    job.progress.note(one_line(candidate))
    if candidate.verdict != "twin":
        job.cache.put(_key(recipe, job, bench), _packed(candidate))
    return candidate


def _may_be_mended(candidate: Candidate, before: Sequence[Candidate]) -> bool:
    """Whether its cost decides if it is worth repairing: the first of an int8 arithmetic."""
    recipe = candidate.recipe
    is_plain = recipe.precision == "int8" and family(recipe) == recipe and not recipe.prune
    kin = (each.cost for each in before if arithmetic(each.recipe) == arithmetic(recipe))
    return candidate.verdict == "over budget" and is_plain and not any(kin)


def _key(recipe: Recipe, job: Job, bench: Workbench) -> str:
    return digest_of(job.identity, "attempt", recipe.name, bench.clean.sha256)


def _packed(candidate: Candidate) -> bytes:
    content = b"" if candidate.path is None else candidate.path.read_bytes()
    return msgspec.msgpack.encode((replace(candidate, path=None), content))


def _unpacked(known: bytes, job: Job, before: Sequence[Candidate]) -> Candidate:
    candidate, content = msgspec.msgpack.decode(known, type=tuple[Candidate, bytes])
    if content:
        path = write_file(job.folder / f"{candidate.recipe.name}.onnx", content)
        candidate = replace(candidate, path=path)
    twin = _twin(candidate, before)
    if twin is not None:
        candidate = replace(candidate, verdict="twin", why=f"it is the model of {twin.recipe}")
    job.progress.note(f"{one_line(candidate)} (known)")
    return candidate


def _twin(candidate: Candidate, before: Sequence[Candidate]) -> Candidate | None:
    if candidate.sha256 is None:
        return None
    return next((each for each in before if each.sha256 == candidate.sha256), None)


def make(candidate: Candidate, job: Job, bench: Workbench) -> Candidate:
    """The model of a recipe, checked to load and run."""
    recipe = candidate.recipe
    try:
        job.risks.take(recipe.name)
        ground = bench.grounds.at(recipe.prune)
        job.progress.start(f"making {recipe.name}", None)
        made = build(recipe, ground)
        content = job.shipped(made.content)
        closeness_db = check_runs(content, bench)
    except ModelError as error:
        return replace(candidate, verdict="not made", why=error.problem)
    candidate = replace(
        candidate,
        path=write_file(job.folder / f"{recipe.name}.onnx", content),
        size_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        lowered=made.lowered,
        kept=made.kept,
        closeness_db=closeness_db,
        note=ground.note,
    )
    if closeness_db < HOPELESS_DB:
        why = f"its outputs are noise: {closeness_db:.1f} dB against fp32, 0 is as much as signal"
        return replace(candidate, verdict="hopeless", why=why)
    return candidate


def build(recipe: Recipe, ground: Ground) -> Built:
    """What a recipe makes of a float model: the same bytes every time.

    Raises:
        ModelError: the recipe is not for this model.
    """
    if recipe.precision == "fp32":
        model = sparsified(ground.model, recipe.sparse) if recipe.sparse else ground.model
        return Built(model.SerializeToString(deterministic=True), {}, {})
    made = make_model(recipe, ground.material)
    return Built(made.content, made.changed, made.skipped)


def check_runs(content: bytes, bench: Workbench) -> float:
    """Load a model and run it on real feeds.

    Returns:
        Signal to noise of its closest floating-point output against the model that came, in dB;
        infinity where none differs.

    Raises:
        ModelError: it does not load or run, or its outputs have other dtypes or shapes than that
            model's, or numbers are missing where that one has some.
    """
    engine = open_engine("onnxruntime", content)
    signal: dict[str, float] = {}
    noise: dict[str, float] = {}
    try:
        for feeds, expected in zip(
            bench.grounds.whole.calibration.feeds, bench.expected, strict=True
        ):
            found = engine.run(feeds)
            for name, array in expected.items():
                check_alike(name, array, found[name])
                if array.dtype.kind == "f":
                    wanted, gap = _finite(array, found[name])
                    signal[name] = signal.get(name, 0.0) + wanted
                    noise[name] = noise.get(name, 0.0) + gap
    finally:
        engine.close()
    return max((_db(signal[name], noise[name]) for name in signal), default=float("inf"))


def _finite(expected: Array, found: Array) -> tuple[float, float]:
    mask = np.isfinite(expected)
    wanted = expected[mask].astype(np.float64)
    gap = found[mask].astype(np.float64) - wanted
    return float(np.square(wanted).sum()), float(np.square(gap).sum())


def _db(signal: float, noise: float) -> float:
    if noise == 0:
        return float("inf")
    return float(10 * np.log10(max(signal, 1e-30) / noise))


def screen(candidate: Candidate, job: Job, bench: Workbench) -> Candidate:
    """A first look at the cost; what is not cheaper ends here."""
    job.progress.start(f"measuring {candidate.recipe}", None)
    try:
        with job.effort.timing("screen"):
            cost = bench.meter.screen(bench.source.file, candidate.file)
    except CrashError as error:
        return replace(candidate, verdict="not made", why=error.problem, path=None)
    candidate = replace(candidate, cost=cost)
    if cost.ratio >= 1.0:
        why = f"its {cost.kind} is no lower than fp32's"
        return replace(candidate, verdict="not cheaper", why=why)
    return candidate


def score(candidate: Candidate, job: Job, bench: Workbench) -> Candidate:
    """Its score on the calibration split; what is out of budget ends here."""
    what = f"scoring {candidate.recipe}"
    try:
        answers = job.predict(candidate.file, "calibration", what, len(bench.reference.labels))
    except ModelError as error:
        return replace(candidate, verdict="not made", why=error.problem, path=None)
    judged = job.judge(bench.reference, answers)
    candidate = replace(candidate, calibration=judged)
    if judged.drop.point > job.goal.max_drop:
        why = f"on calibration the score drops by more than {job.goal.max_drop * 100:g}"
        return replace(candidate, verdict="over budget", why=why)
    return replace(candidate, verdict="in budget", why="another one is cheaper")


def weigh(candidate: Candidate, job: Job, bench: Workbench) -> Candidate:
    """What zeros save in transfer; such a candidate is not measured and never a finalist."""
    if candidate.verdict not in ("in budget", "over budget"):
        return candidate
    return told(candidate, bench.clean.file, job.goal.max_drop)


def check_alike(name: str, expected: Array, found: Array) -> None:
    """Refuse another dtype, another shape, or numbers that went missing.

    Raises:
        ModelError: one of these.
    """
    if (expected.dtype, expected.shape) != (found.dtype, found.shape):
        problem = (
            f"output {name!r} became {found.dtype} {list(found.shape)}, "
            f"it was {expected.dtype} {list(expected.shape)}"
        )
    elif expected.dtype.kind == "f" and (np.isfinite(expected) & ~np.isfinite(found)).any():
        problem = f"output {name!r} has values that are no numbers"
    else:
        return
    raise ModelError("the rewritten model", problem, "this recipe is not for this model")
