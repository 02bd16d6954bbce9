"""Every candidate tried, with its figures, as JSON: what `evidence/` and `--json` say."""

from typing import Any

import msgspec

from edgekit_converters.search.candidate import Candidate, Judged
from edgekit_converters.search.search import SearchResult

SCHEMA = 2


def as_builtins(result: SearchResult) -> dict[str, Any]:
    """A search as JSON types. Drops and scores are in units of the score, 0 to 1."""
    job = result.job
    return {
        "schema": SCHEMA,
        "model": {"name": job.source.path.name, "sha256": job.source.sha256},
        "target": msgspec.to_builtins(job.target, order="deterministic"),
        "goal": {"max_drop": job.goal.max_drop, "certify": job.goal.certify},
        "seed": job.seed,
        "data": job.data,
        "local": job.is_local,
        "place": job.place.kind,
        "chosen": result.chosen.recipe.name,
        "looks_at_evaluation": result.looks,
        "calibration": {
            "samples": result.calibration.samples,
            "calls": result.calibration.calls,
        },
        "passes": msgspec.to_builtins(result.passes),
        "measured": result.measured,
        "front": [each.recipe.name for each in result.front],
        "unfinished": result.unfinished,
        "explanations": msgspec.to_builtins(result.explanations),
        "candidates": [_candidate(each) for each in (result.baseline, *result.candidates)],
    }


def _candidate(candidate: Candidate) -> dict[str, Any]:
    return {
        "recipe": candidate.recipe.name,
        "verdict": candidate.verdict,
        "why": candidate.why,
        "size_bytes": candidate.size_bytes,
        "sha256": candidate.sha256,
        "note": candidate.note,
        "closeness_db": candidate.closeness_db,
        "lowered": dict(candidate.lowered),
        "kept": dict(candidate.kept),
        "cost": msgspec.to_builtins(candidate.cost),
        "calibration": _judged(candidate.calibration),
        "evaluation": _judged(candidate.evaluation),
    }


def _judged(judged: Judged | None) -> dict[str, Any] | None:
    if judged is None:
        return None
    return {"score": judged.score, "drop": msgspec.to_builtins(judged.drop)}
