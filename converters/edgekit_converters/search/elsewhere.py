"""What other libraries make on their own, in the same ladder: one recipe each, late."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from edgekit.errors import UsageError
from edgekit_converters.engines import obstacle
from edgekit_converters.recipes.recipe import MAKERS, Maker, Recipe
from edgekit_converters.search.candidate import Candidate
from edgekit_converters.search.ladder import static, suited
from edgekit_converters.search.tried import Tried
from edgekit_converters.search.workbench import Job, Workbench
from edgekit_converters.targets import Target

OTHERS: tuple[Maker, ...] = tuple(each for each in MAKERS if each != "onnxruntime")
"""The cheaper one first: on a small model onnxsim takes a third of NNCF's CPU time."""
NONE = "none"


def engines_asked(text: str) -> tuple[Maker, ...]:
    """`onnxsim,nncf` or `none` as engines, in the order in which they are tried.

    Raises:
        UsageError: a name is neither.
    """
    words = [word.strip() for word in text.split(",")]
    for word in words:
        if word not in OTHERS and words != [NONE]:
            known = f"name any of {', '.join(OTHERS)} with commas between, or {NONE}"
            raise UsageError(f"--engines {text}", f"{word!r} is no engine", known)
    return tuple(each for each in OTHERS if each in words)


def made_elsewhere(
    target: Target, asked: Sequence[Maker]
) -> Iterator[tuple[Recipe, tuple[str, str] | None]]:
    """Each library's own int8, per channel, and the reason with the way out not to try it."""
    for engine in OTHERS:
        recipe = suited(static("all", engine=engine), target)
        is_asked = engine in asked
        yield recipe, obstacle(recipe) if is_asked else ("not asked for", f"--engines {engine}")


def untried_rung(tried: Tried, job: Job, bench: Workbench) -> Iterator[Recipe]:
    """Asks for nothing: says first of all, since it costs nothing, which libraries are left out."""
    for recipe, reason in made_elsewhere(job.target, job.engines):
        if reason is not None and tried.find(recipe) is None:
            why = "{} ({})".format(*reason)
            tried.candidates.append(Candidate(recipe, verdict="not tried", why=why))
    yield from ()


def elsewhere_rung(tried: Tried, job: Job, bench: Workbench) -> Iterator[Recipe]:
    """What the libraries that are here make, unless the model has nothing for int8."""
    for recipe, reason in made_elsewhere(job.target, job.engines):
        ours = tried.find(replace(recipe, engine="onnxruntime"))
        if reason is None and ours is not None and ours.verdict == "not tried":
            tried.candidates.append(Candidate(recipe, verdict="not tried", why=ours.why))
        elif reason is None:
            yield recipe
