"""The chosen model of an earlier search, made again bit for bit, without searching.

What a search decided by measuring stands in its evidence: which forms paid, which recipe won. The
rest follows from the model, the task's data and the versions; where one of them is another, the
bytes are not the same, and that is said instead of packing something else.
"""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from onnx import ModelProto

from edgekit.errors import ModelError, StorageError, UsageError
from edgekit_converters.calibration.calibrate import calibrate, never_ran
from edgekit_converters.calibration.calls import Calls
from edgekit_converters.costs.cost import Kind, Place
from edgekit_converters.explain.recorded import evidence_content
from edgekit_converters.packing.evidence import SCHEMA
from edgekit_converters.passes import DEFAULT_PASSES, FORMS, NEEDED, apply_passes, choose_forms
from edgekit_converters.recipes.recipe import AS_IS, parse
from edgekit_converters.search.attempt import build
from edgekit_converters.search.candidate import Candidate
from edgekit_converters.search.evaluate import predict_with
from edgekit_converters.search.goal import Goal
from edgekit_converters.search.ground import Ground, Grounds
from edgekit_converters.search.search import SearchResult
from edgekit_converters.search.workbench import CHECKED_FEEDS, HERE, Job, write_file
from edgekit_converters.targets import Target

WAY_OUT = "use the model, the data and the versions that made it, or optimize again"


class _Model(Struct):
    sha256: str


class _Goal(Struct):
    max_drop: float
    certify: bool


class _Report(Struct):
    name: str
    outcome: str


class _Candidate(Struct):
    recipe: str
    sha256: str | None


class Evidence(Struct):
    """What of an evidence file a replay needs.

    Attributes:
        place: what was measured; earlier evidence does not say, and its models were left as made.
        content: the file itself, which goes into the bundle again.
    """

    schema: int
    model: _Model
    target: dict[str, Any]
    data: str | None
    goal: _Goal
    seed: int
    local: bool
    chosen: str
    passes: list[_Report]
    candidates: list[_Candidate]
    place: Kind = "operations"
    content: bytes = b""

    @property
    def sha256(self) -> str | None:
        """Of the chosen model's file."""
        return next(each.sha256 for each in self.candidates if each.recipe == self.chosen)


def read_evidence(path: Path) -> Evidence:
    """An evidence file, or the evidence in a bundle.

    Raises:
        StorageError: it cannot be read.
        UsageError: it is no evidence of a search, or of another schema.
    """
    thing = f"evidence {str(path)!r}"
    way_out = "give NAME.evidence.json or the bundle itself"
    try:
        content = evidence_content(path)
        found = msgspec.json.decode(content, type=Evidence)
    except OSError as error:
        raise StorageError(
            thing, f"it cannot be read ({error.strerror or error})", way_out
        ) from None
    except (msgspec.DecodeError, KeyError) as error:
        raise UsageError(thing, f"it is no evidence of a search ({error})", way_out) from None
    if found.schema != SCHEMA:
        problem = f"it has schema {found.schema}, this edgekit replays schema {SCHEMA}"
        raise UsageError(thing, problem, "optimize again")
    found.content = content
    return found


def as_it_was(evidence: Evidence, job: Job) -> Job:
    """The job with the target, the goal and the seed of the search.

    Raises:
        UsageError: the evidence names no such target.
    """
    try:
        target = msgspec.convert(evidence.target, Target)
    except msgspec.ValidationError as error:
        raise UsageError("the evidence", f"its target is none ({error})", WAY_OUT) from None
    goal = Goal(evidence.goal.max_drop, evidence.goal.certify)
    place = HERE if evidence.local else Place(evidence.place, "as it was")
    return replace(job, target=target, goal=goal, seed=evidence.seed, place=place)


def replay(evidence: Evidence, job: Job) -> SearchResult:
    """Make the chosen model again.

    Args:
        evidence: of the search.
        job: as it was.

    Raises:
        ModelError: the model or the bytes made of it are not those of the search.
        EdgekitError: the model or the task fails.
    """
    if job.source.sha256 != evidence.model.sha256:
        problem = f"it has sha256 {job.source.sha256[:12]}…, not {evidence.model.sha256[:12]}…"
        raise ModelError(f"model {str(job.source.path)!r}", problem, WAY_OUT)
    if job.data is None or job.data != evidence.data:
        raise UsageError(job.task.thing, "its code or samples are not those of the search", WAY_OUT)
    recipe = parse(evidence.chosen)
    ground = _ground(evidence, job)
    content = job.source.content
    if recipe != AS_IS:
        grounds = Grounds(ground, job)
        content = job.shipped(build(recipe, grounds.at(recipe.prune)).content)
    digest = hashlib.sha256(content).hexdigest()
    if digest != evidence.sha256:
        problem = f"it came out with sha256 {digest[:12]}…, the search had {evidence.sha256}"
        raise ModelError(f"recipe {recipe.name!r}", problem, WAY_OUT)
    path = write_file(job.folder / f"{recipe.name}.onnx", content)
    chosen = Candidate(recipe, "chosen", "replayed", path, len(content), digest)
    return SearchResult(job, (), ground.calibration, "", chosen, (), chosen, 0)


def _ground(evidence: Evidence, job: Job) -> Ground:
    graph = job.source.model
    if graph is None:
        thing = f"model {str(job.source.path)!r}"
        raise ModelError(thing, "a .tflite is packed as it is", "optimize it again")
    source = write_file(job.folder / "source.onnx", job.source.content)
    calls = Calls(job.seed)
    predict_with(source, job.task, "calibration", watch=calls.calibrating)
    predict_with(source, job.task, "evaluation", watch=calls.evaluating)
    if not calls.kept:
        raise never_ran(job.task, 0)
    take = job.risks.take
    if _was_reverted(evidence):
        model, _ = apply_passes(NEEDED, graph, calls.kept[:CHECKED_FEEDS], take)
    else:
        model, _ = apply_passes(DEFAULT_PASSES, graph, calls.kept[:CHECKED_FEEDS], take)
        tried = {each.name for each in evidence.passes}
        forms = [form for form in FORMS if form.name in tried]
        model, _ = choose_forms(
            forms, model, calls.every_shape(CHECKED_FEEDS), _Decided(evidence).compare,
            CHECKED_FEEDS, take,
        )  # fmt: skip
    job.risks.rest()
    calibration = calibrate(model, job.task, seed=job.seed, shelf=job.shelf)
    return Ground(model, job.task, calibration, memory_bytes=job.memory_bytes, shelf=job.shelf)


def _was_reverted(evidence: Evidence) -> bool:
    """Whether the search went back to the model as it came: then it kept what it needs only."""
    needed = {each.name for each in NEEDED}
    others = [each for each in evidence.passes if each.name not in needed]
    return bool(others) and all(each.outcome == "reverted" for each in others)


class _Decided:
    """Verdicts that were measured then, in the order of the forms."""

    def __init__(self, evidence: Evidence) -> None:
        names = {form.name for form in FORMS}
        self._left = [
            each.outcome == "changed"
            for each in evidence.passes
            if each.name in names and each.outcome in ("changed", "not cheaper")
        ]

    def compare(self, before: ModelProto, after: ModelProto) -> "_Verdict":
        """The next one."""
        return _Verdict(self._left.pop(0) if self._left else False)


@dataclass(frozen=True)
class _Verdict:
    is_cheaper: bool
    ratio: float = 1.0
