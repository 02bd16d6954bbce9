"""The chosen model, its features, decoder, labels, goldens and evidence → one bundle."""

from pathlib import Path

import msgspec

from edgekit.budget import AccuracyBudget, Budget, LatencyBudget
from edgekit.bundle import write_bundle
from edgekit.engines import engine_for, open_engine
from edgekit.manifest import SCHEMA, Manifest
from edgekit.model import load
from edgekit_converters.packing.evidence import as_builtins
from edgekit_converters.packing.golden import examples, golden_files
from edgekit_converters.packing.publish import Identity
from edgekit_converters.packing.reference import observe
from edgekit_converters.recipes.recipe import AS_IS
from edgekit_converters.search.candidate import Candidate
from edgekit_converters.search.search import SearchResult

LABELS = "labels.json"
EVIDENCE = "evidence/candidates.json"
REFERENCE = "reference/histograms.json"
EXACT = ("fp32", "as-is")
"""Precisions that differ from one CPU to another by the order of sums only."""
SLOWEST_RATIO = 1.05
"""The latency a later release may take against this one's baseline, unless a budget says else."""


def pack(
    result: SearchResult,
    candidate: Candidate,
    identity: Identity,
    folder: Path,
    evidence: bytes | None = None,
) -> Path:
    """Pack one model of a search.

    Args:
        result: the search.
        candidate: the chosen one, or the clean model as a baseline for the gate.
        identity: what to call it.
        folder: where to write.
        evidence: of an earlier search that is replayed; that of `result` if None.

    Returns:
        The bundle's path.

    Raises:
        BundleError: the bundle does not pass its own self-test.
        StorageError: the folder cannot be written or the disk is full.
    """
    content = candidate.file.read_bytes()
    if result.job.place.kind == "operations" and candidate.recipe != AS_IS:
        content = result.job.stored(content)
    runtime, model = engine_for(candidate.file), f"model{candidate.file.suffix}"
    task = result.job.task
    engine = open_engine(runtime, content)
    try:
        found = examples(task, engine, result.calibration)
        files = golden_files(found, engine, lowered=candidate.recipe.precision not in EXACT)
        inputs, outputs = engine.inputs, engine.outputs
    finally:
        engine.close()
    reference = observe(candidate.file, task, result.calibration.ranges)
    evidence = evidence or evidence_of(result)
    files |= {model: content, EVIDENCE: evidence, REFERENCE: _json(reference)}
    if task.labels is not None:
        files[LABELS] = _json(task.labels)
    manifest = Manifest(
        schema=SCHEMA,
        name=identity.name,
        version=identity.version,
        target=result.job.target.name,
        engine=runtime,
        recipe=candidate.recipe.name,
        model=model,
        inputs=inputs,
        outputs=outputs,
        features=task.features,
        decoder=task.decoder,
        labels=LABELS if task.labels is not None else None,
        budget=_budget_of(result),
    )
    path = folder / f"{identity.stem}.edgekit"
    write_bundle(path, manifest, files)
    load(path, verify="self-test").close()
    return path


def evidence_of(result: SearchResult) -> bytes:
    """Every candidate tried and its figures, as the file that a replay reads."""
    return _json(as_builtins(result))


def _budget_of(result: SearchResult) -> Budget:
    """What later releases of the bundle are judged by, unless a file says else."""
    accuracy = AccuracyBudget(max_drop=result.job.goal.max_drop)
    return Budget(accuracy=accuracy, latency=LatencyBudget(max_ratio=SLOWEST_RATIO))


def _json(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n"
