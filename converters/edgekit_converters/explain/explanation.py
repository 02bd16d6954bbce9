"""What is said of a candidate that failed: data that evidence files, terminal and page share."""

from msgspec import Struct


class Answer(Struct, frozen=True):
    """Another candidate that does something about the cause.

    Attributes:
        recipe: its name.
        verdict: what became of it.
        gave: its drop and cost in words.
    """

    recipe: str
    verdict: str
    gave: str


class LayerBar(Struct, frozen=True):
    """One node's errors in dB; None where it was not measured.

    Attributes:
        index: what `keep` counts; None for nodes without weights.
        own_db: rounded alone, fed by the float model.
        weights_db: its weights rounded alone.
        activations_db: its inputs rounded alone.
        accumulated_db: in the whole candidate.
        is_quantized: whether the candidate computes it in int8.
    """

    node: str
    operator: str
    index: int | None
    own_db: float | None
    weights_db: float | None
    activations_db: float | None
    accumulated_db: float | None
    is_quantized: bool


class BeforeAfter(Struct, frozen=True):
    """A tensor's values in the float model and in the candidate, in bins of even width.

    Attributes:
        tensor: its name.
        low: of the first bin.
        high: of the last bin.
        before: (bins,) counts in the float model.
        after: (bins,) in the candidate.
        step: between numbers that 8 bits can stand for; 0 where it is not rounded.
    """

    tensor: str
    low: float
    high: float
    before: tuple[int, ...]
    after: tuple[int, ...]
    step: float


class Explanation(Struct, frozen=True):
    """Why one candidate failed.

    Attributes:
        recipe: its name.
        verdict: what became of it.
        symptom: what failed, with the figure.
        node: where the error starts, or what is slow; empty where none is known.
        operator: its type.
        index: what `keep` counts, if it has weights.
        cause: one of the classes, or `unexplained`.
        proof: the figures that make it so.
        tried: candidates that do something about it, the nearest to holding first.
        fix: what holds, or what is left to do and what that gives.
        layers: every node that was measured, in graph order.
        tensors: histograms of the worst ones.
        before_us: microseconds by operator type of the clean fp32 model, where it was profiled.
        after_us: of the candidate.
        further: how many more did something about it and are not in `tried`.
    """

    recipe: str
    verdict: str
    symptom: str
    node: str
    operator: str
    index: int | None
    cause: str
    proof: str
    tried: tuple[Answer, ...]
    fix: str
    layers: tuple[LayerBar, ...] = ()
    tensors: tuple[BeforeAfter, ...] = ()
    before_us: dict[str, float] = {}
    after_us: dict[str, float] = {}
    further: int = 0
