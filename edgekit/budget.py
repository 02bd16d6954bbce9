"""Limits for a release, as data: frozen msgspec structs, strict.

A budget stands in a TOML file of its own, or in a bundle's manifest. `edgekit.gate.budget` reads
files; what each limit means and how it is judged is in docs/gate.md.
"""

from typing import Annotated, TypeAlias

from msgspec import Meta, Struct

Positive: TypeAlias = Annotated[int, Meta(gt=0)]
NotNegative: TypeAlias = Annotated[int, Meta(ge=0)]


class AccuracyBudget(Struct, frozen=True, forbid_unknown_fields=True):
    """Limits on the task's score, judged by the paired interval. Units of the score, 0 to 1."""

    max_drop: Annotated[float, Meta(ge=0, le=1)] | None = None
    min_score: Annotated[float, Meta(ge=0, le=1)] | None = None
    min_agreement: Annotated[float, Meta(ge=0, le=1)] | None = None


class LatencyBudget(Struct, frozen=True, forbid_unknown_fields=True):
    """Limits on warm latency; `max_ratio` is against the baseline."""

    max_ratio: Annotated[float, Meta(gt=0)] | None = None
    p50_ms: Annotated[float, Meta(gt=0)] | None = None
    p95_ms: Annotated[float, Meta(gt=0)] | None = None
    p99_ms: Annotated[float, Meta(gt=0)] | None = None


class InstructionBudget(Struct, frozen=True, forbid_unknown_fields=True):
    """Limits on instructions of one inference on an emulated Arm CPU."""

    max_ratio: Annotated[float, Meta(gt=0)] | None = None
    max_millions: Annotated[float, Meta(gt=0)] | None = None


class MemoryBudget(Struct, frozen=True, forbid_unknown_fields=True):
    """Limits on the peak resident memory of a process that loads and runs the model."""

    max_ratio: Annotated[float, Meta(gt=0)] | None = None
    peak_mb: Annotated[float, Meta(gt=0)] | None = None


class SizeBudget(Struct, frozen=True, forbid_unknown_fields=True):
    """Limits on the size of the model file; 1 MB is 1,000,000 bytes."""

    max_ratio: Annotated[float, Meta(gt=0)] | None = None
    max_mb: Annotated[float, Meta(gt=0)] | None = None


class PlacementBudget(Struct, frozen=True, forbid_unknown_fields=True):
    """Limits on what an NPU target leaves to the CPU: a share of the MACs, written `"2%"`."""

    max_cpu_macs: Annotated[str, Meta(pattern=r"\A(100|\d{1,2}(\.\d+)?)%\Z")] | None = None


class MetricBudget(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Limits on one of the task's further metrics, each 0 to 1 where higher is better."""

    max_drop: Annotated[float, Meta(ge=0, le=1)] | None = None
    min_value: Annotated[float, Meta(ge=0, le=1)] | None = None


class FidelityBudget(Struct, frozen=True, forbid_unknown_fields=True):
    """Limits on a classifier's answers: macro precision and recall, expected calibration error."""

    min_precision: Annotated[float, Meta(ge=0, le=1)] | None = None
    min_recall: Annotated[float, Meta(ge=0, le=1)] | None = None
    max_calibration_error: Annotated[float, Meta(ge=0, le=1)] | None = None


class ExplanationBudget(Struct, frozen=True, forbid_unknown_fields=True):
    """Limits on how alike both models weigh the parts of their input: a rank correlation."""

    min_rank_agreement: Annotated[float, Meta(ge=-1, le=1)] | None = None


class SchemaBudget(Struct, frozen=True, forbid_unknown_fields=True):
    """Limits on how far a data set's inputs are from what the manifest says; shares, 0 to 1."""

    max_mismatch_share: Annotated[float, Meta(ge=0, le=1)] | None = None
    max_not_finite_share: Annotated[float, Meta(ge=0, le=1)] | None = None
    max_outside_share: Annotated[float, Meta(ge=0, le=1)] | None = None


class DriftBudget(Struct, frozen=True, forbid_unknown_fields=True):
    """Limits on how far a data set is from calibration: KS distance, population stability index."""

    max_ks: Annotated[float, Meta(gt=0, le=1)] | None = None
    max_psi: Annotated[float, Meta(gt=0)] | None = None


class LabelsBudget(Struct, frozen=True, forbid_unknown_fields=True):
    """Limits on a data set's labels; a conflict is one input that occurs with several labels."""

    max_disagreement_share: Annotated[float, Meta(ge=0, le=1)] | None = None
    max_conflicts: NotNegative | None = None
    min_class_samples: Positive | None = None


class Budget(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Limits for a release. Every table and key is optional, unknown ones are refused."""

    accuracy: AccuracyBudget = AccuracyBudget()
    metrics: dict[str, MetricBudget] = {}
    fidelity: FidelityBudget = FidelityBudget()
    explanation: ExplanationBudget = ExplanationBudget()
    latency: LatencyBudget = LatencyBudget()
    instructions: InstructionBudget = InstructionBudget()
    memory: MemoryBudget = MemoryBudget()
    size: SizeBudget = SizeBudget()
    placement: PlacementBudget = PlacementBudget()
    schema: SchemaBudget = SchemaBudget()
    drift: DriftBudget = DriftBudget()
    labels: LabelsBudget = LabelsBudget()
