"""How an error grows along a candidate: node by node, and the node where it starts."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from onnx import ModelProto, NodeProto

from edgekit_converters.calibration.calibrate import Ranges
from edgekit_converters.calibration.histogram import Histogram
from edgekit_converters.calibration.observe import plan_batches, resident_bytes
from edgekit_converters.calibration.ranges import squared_errors
from edgekit_converters.graph import all_graphs, constants, float_tensors, reads, subgraphs
from edgekit_converters.recipes.make import Material
from edgekit_converters.recipes.placement import FUSED_AFTER
from edgekit_converters.sensitivity.closeness import PERFECT_DB, compare, decibels
from edgekit_converters.sensitivity.sensitivity import ROUNDED, TensorFacts, facts_of

HURTING_DB = 20.0
"""An error of a tenth. What is lost above it seldom changes an answer."""
HEALTHY_DB = 60.0
"""Better than any layer in 8 bits: losses count from there where none hurts."""
EARLY_SHARE = 0.25
"""Of the most that one node loses: the first node that loses so much is the start."""


@dataclass(frozen=True)
class Rounding:
    """A tensor as 8 bits stand for it.

    Attributes:
        facts: what calibration saw of it.
        maker: type of the operator that makes it; empty for an input of the model.
        step: between neighbouring numbers.
        db: signal over the noise of rounding it alone.
        lost_share: of its values other than zero, those that round to zero.
        integers: the model's integer input that its values are; empty where they are not.
    """

    facts: TensorFacts
    maker: str
    step: float
    db: float
    lost_share: float
    integers: str = ""


@dataclass(frozen=True)
class Step:
    """One node of the clean model.

    A Relu or Clip that the candidate merged with what is before it is one node with it.

    Attributes:
        node: its name.
        operator: its type.
        holds: types of operators in it: its own, or those of its inner graphs too.
        tensor: its output.
        db: signal over noise of that output in the candidate.
        before_db: of its worst input there.
        inputs: its computed inputs that the candidate rounds.
        output: its output, if the candidate rounds it.
    """

    node: str
    operator: str
    holds: frozenset[str]
    tensor: str
    db: float
    before_db: float
    inputs: tuple[Rounding, ...]
    output: Rounding | None

    def lost_db(self, ceiling_db: float) -> float:
        """What is lost here below a ceiling; at 0 dB there is no more to lose."""
        before, after = (min(max(db, 0.0), ceiling_db) for db in (self.before_db, self.db))
        return max(0.0, before - after)


def start_of(steps: Sequence[Step]) -> Step | None:
    """The first node that loses much of what is lost; None where none loses any.

    Losses count below `HURTING_DB`, or from the top where the whole model stays above it.
    """
    hurt = any(step.db < HURTING_DB for step in steps)
    ceiling = HURTING_DB if hurt else HEALTHY_DB
    most = max((step.lost_db(ceiling) for step in steps), default=0.0)
    if most <= 0:
        return None
    return next(step for step in steps if step.lost_db(ceiling) >= EARLY_SHARE * most)


def trace(material: Material, content: bytes, ranges: Ranges) -> tuple[Step, ...]:
    """Compare a candidate's tensors with the clean model's, on the feeds that were kept.

    Args:
        material: that the candidate was made from.
        content: the candidate as it was made, before layouts.
        ranges: that its tensors were rounded by.

    Raises:
        ModelError: a model does not load or run, or the memory cap is too small.
    """
    clean, candidate = material.model, ModelProto.FromString(content)
    known = {name for node in candidate.graph.node for name in node.output}
    floats = float_tensors(clean)
    made = [name for node in clean.graph.node for name in node.output if name in floats & known]
    twins = {name: name + ROUNDED if name + ROUNDED in known else name for name in made}
    found = _compared(material, content, twins)
    rounded = {name for name in floats if name + ROUNDED in known}
    rounded |= floats & {  # outputs of the model keep their names
        name
        for node in candidate.graph.node
        if node.op_type == "DequantizeLinear"
        for name in node.output
    }
    seen = roundings(material, rounded, ranges)
    makers = {name: node for node in clean.graph.node for name in node.output}
    compared = frozenset(found)
    steps = []
    for node in clean.graph.node:
        before = min((found.get(name, PERFECT_DB) for name in reads(node)), default=PERFECT_DB)
        for name in node.output[:1]:
            if name in compared:
                whole = _merged(node, makers, rounded)
                steps.append(_step(whole, name, found[name], before, seen))
            else:
                found[name] = before
    return tuple(steps)


def _step(
    node: NodeProto, tensor: str, db: float, before_db: float, seen: Mapping[str, Rounding]
) -> Step:
    inner = {each.op_type for body in subgraphs(node) for g in all_graphs(body) for each in g.node}
    inputs = tuple(seen[each] for each in dict.fromkeys(node.input) if each in seen)
    return Step(
        node.name,
        node.op_type,
        frozenset({node.op_type, *inner}),
        tensor,
        db,
        before_db,
        inputs,
        seen.get(tensor),
    )


def _merged(node: NodeProto, makers: Mapping[str, NodeProto], rounded: Set[str]) -> NodeProto:
    """The node, or for what cuts a tensor that is not rounded in between: the one that makes it."""
    maker = makers.get(node.input[0]) if node.input else None
    if node.op_type in FUSED_AFTER and maker is not None and node.input[0] not in rounded:
        return maker
    return node


def _compared(material: Material, content: bytes, twins: Mapping[str, str]) -> dict[str, float]:
    sizes = {name: 2 * material.calibration.elements.get(name, 1) for name in twins}
    held = 3 * (material.model.ByteSize() + len(content))
    candidate = ModelProto.FromString(content)
    found: dict[str, float] = {}
    for batch in plan_batches(list(twins), sizes, material.memory_bytes - resident_bytes() - held):
        some = {name: twins[name] for name in batch}
        found |= compare(material.model, candidate, some, material.calibration.feeds)
    return found


def roundings(material: Material, names: set[str], ranges: Ranges) -> dict[str, Rounding]:
    """What 8 bits make of tensors, by their histograms."""
    makers = {name: node.op_type for node in material.model.graph.node for name in node.output}
    integers = integer_tensors(material.model)
    found = {}
    for name in sorted(names & material.histograms.keys() & ranges.keys()):
        histogram = material.histograms[name]
        low, high = min(ranges[name].low, 0.0), max(ranges[name].high, 0.0)
        noise = float(squared_errors(histogram, low, high, 255)[0])
        signal = float((histogram.centres**2 * histogram.counts).sum())
        step = (high - low) / 255
        found[name] = Rounding(
            facts_of(name, histogram),
            makers.get(name, ""),
            step,
            decibels(signal, noise),
            _lost_share(histogram, step),
            integers.get(name, ""),
        )
    return found


def integer_tensors(model: ModelProto) -> dict[str, str]:
    """Float tensors that are an integer input of the model cast or moved, and which one."""
    kinds = ("Cast", "Reshape", "Squeeze", "Unsqueeze", "Transpose", "Flatten", "Identity", "Slice")
    stored = constants(model.graph).keys()
    floats = float_tensors(model)
    found = {each.name: each.name for each in model.graph.input if each.name not in floats | stored}
    for node in model.graph.node:
        if node.op_type in kinds and node.input[0] in found:
            found[node.output[0]] = found[node.input[0]]
    return {name: source for name, source in found.items() if name in floats}


def _lost_share(histogram: Histogram, step: float) -> float:
    is_there = (histogram.lows != 0) | (histogram.highs != 0)
    is_lost = is_there & (abs(histogram.centres) < step / 2)
    return float(histogram.counts[is_lost].sum() / max(histogram.counts[is_there].sum(), 1))
