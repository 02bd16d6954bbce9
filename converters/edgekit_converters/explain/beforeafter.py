"""Values of a candidate's worst tensors beside those of the float model, on the kept feeds."""

from collections.abc import Sequence

import numpy as np
from onnx import ModelProto

from edgekit.engines import open_engine
from edgekit_converters.calibration.histogram import Floats
from edgekit_converters.calibration.observe import with_outputs
from edgekit_converters.explain.explanation import BeforeAfter
from edgekit_converters.explain.trace import Step
from edgekit_converters.recipes.make import Material
from edgekit_converters.sensitivity.sensitivity import ROUNDED

BINS = 61
MOST = 3
LARGEST = 1 << 22
"""Values of a tensor at one call, beyond which it is left out."""


def worst_tensors(steps: Sequence[Step], start: Step | None) -> tuple[str, ...]:
    """Where the error starts, what goes in there, and the worst of all."""
    if start is None:
        return ()
    inputs = sorted(start.inputs, key=lambda each: -each.lost_share)
    worst = min(steps, key=lambda step: step.db)
    names = (start.tensor, *(each.facts.name for each in inputs), worst.tensor)
    return tuple(dict.fromkeys(names))[:MOST]


def before_after(
    material: Material, content: bytes, steps: Sequence[Step], names: Sequence[str]
) -> tuple[BeforeAfter, ...]:
    """Histograms of tensors in the float model and in the candidate.

    Raises:
        ModelError: a model does not load or run.
    """
    candidate = ModelProto.FromString(content)
    inputs = {each.name for each in candidate.graph.input}
    known = {name for node in candidate.graph.node for name in node.output} | inputs
    twins = {name: name + ROUNDED if name + ROUNDED in known else name for name in names}
    twins = {
        name: twin
        for name, twin in twins.items()
        if twin in known and material.calibration.elements.get(name, 0) <= LARGEST
        and name in material.calibration.ranges
    }  # fmt: skip
    rounded = {each.facts.name: each.step for step in steps for each in step.inputs}
    rounded |= {step.tensor: step.output.step for step in steps if step.output is not None}
    edges = {name: _edges(material, name) for name in twins}
    counts = {name: np.zeros((2, BINS), np.int64) for name in twins}
    for place, (model, wanted) in enumerate(
        ((material.model, list(twins)), (candidate, list(twins.values())))
    ):
        engine = open_engine("onnxruntime", with_outputs(model, wanted).SerializeToString())
        try:
            for feeds in material.calibration.feeds:
                found = {**feeds, **engine.run(feeds)}
                for name, tensor in zip(twins, wanted, strict=True):
                    values = np.clip(found[tensor], edges[name][0], edges[name][-1])
                    counts[name][place] += np.histogram(values, edges[name])[0]
        finally:
            engine.close()
    return tuple(
        BeforeAfter(
            name,
            float(edges[name][0]),
            float(edges[name][-1]),
            tuple(counts[name][0].tolist()),
            tuple(counts[name][1].tolist()),
            float(rounded.get(name, 0.0)),
        )
        for name in twins
    )


def _edges(material: Material, name: str) -> Floats:
    found = material.calibration.ranges[name]
    low, high = min(found.low, 0.0), max(found.high, 0.0)
    return np.linspace(low, high if high > low else low + 1.0, BINS + 1)
