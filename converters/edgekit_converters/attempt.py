"""One recipe tried on one model: made, loaded and run, measured, scored."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from edgekit.engines import Array, open_engine
from edgekit.errors import CrashError, ModelError
from edgekit_converters.candidate import Candidate, one_line
from edgekit_converters.quantize import decide, rewrite
from edgekit_converters.recipe import Recipe
from edgekit_converters.targets import Target
from edgekit_converters.workbench import Job, Workbench, write_file


def attempt(recipe: Recipe, job: Job, bench: Workbench) -> Candidate:
    """Try a recipe; what fails is a candidate with a reason, not an error.

    Raises:
        TaskError: the task breaks a promise.
        StorageError: the working folder cannot be written.
    """
    recipe = suited(recipe, job.target)
    job.progress.start(f"making {recipe.name}", None)
    candidate = make(recipe, job.folder, bench)
    if candidate.path is not None:
        candidate = screen(candidate, job, bench)
    if candidate.path is not None and candidate.verdict == "untried":
        candidate = score(candidate, job, bench)
    job.progress.note(one_line(candidate))
    return candidate


def suited(recipe: Recipe, target: Target) -> Recipe:
    """The recipe as this CPU needs it: 7-bit weights where u8·s8 products saturate."""
    return replace(recipe, seven_bit=recipe.precision == "int8" and target.saturates)


def make(recipe: Recipe, folder: Path, bench: Workbench) -> Candidate:
    """The model of a recipe, checked to load and run."""
    candidate = Candidate(recipe)
    try:
        plan = decide(bench.model, recipe, bench.calibration.ranges)
        made = rewrite(bench.model, plan, bench.calibration.ranges)
        check_runs(made.content, bench)
    except ModelError as error:
        return replace(candidate, verdict="not made", why=error.problem)
    return replace(
        candidate,
        path=write_file(folder / f"{recipe.name}.onnx", made.content),
        size_bytes=len(made.content),
        lowered=made.changed,
        kept=plan.skipped,
    )


def check_runs(content: bytes, bench: Workbench) -> None:
    """Load a model and run it on real feeds.

    Raises:
        ModelError: it does not load or run, or its outputs have other dtypes or shapes than the
            clean model's, or numbers are missing where the clean model has some.
    """
    clean, made = (
        open_engine("onnxruntime", model) for model in (bench.model.SerializeToString(), content)
    )
    try:
        for feeds in bench.calibration.feeds[:2]:
            expected, found = clean.run(feeds), made.run(feeds)
            for name, array in expected.items():
                _check_alike(name, array, found[name])
    finally:
        clean.close()
        made.close()


def screen(candidate: Candidate, job: Job, bench: Workbench) -> Candidate:
    """A first look at the cost; what is not cheaper ends here."""
    job.progress.start(f"measuring {candidate.recipe}", None)
    try:
        cost = bench.meter.screen(bench.clean.file, candidate.file)
    except CrashError as error:
        return replace(candidate, verdict="not made", why=error.problem, path=None)
    candidate = replace(candidate, cost=cost)
    if cost.ratio >= 1.0:
        why = f"its {cost.kind} is no lower than fp32's"
        return replace(candidate, verdict="not cheaper", why=why)
    return candidate


def score(candidate: Candidate, job: Job, bench: Workbench) -> Candidate:
    """Its score on the calibration split; what is proven out of budget ends here."""
    what = f"scoring {candidate.recipe}"
    try:
        answers = job.predict(candidate.file, "calibration", what, bench.calibration.samples)
    except ModelError as error:
        return replace(candidate, verdict="not made", why=error.problem, path=None)
    judged = job.judge(bench.reference, answers)
    candidate = replace(candidate, calibration=judged)
    drop = judged.drop
    if drop.point > job.goal.max_drop:
        why = f"on calibration the score drops by more than {job.goal.max_drop * 100:g}"
        return replace(candidate, verdict="over budget", why=why)
    return replace(candidate, verdict="in budget", why="another one is cheaper")


def _check_alike(name: str, expected: Array, found: Array) -> None:
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
