"""How near a candidate's tensors are to the clean model's: signal over noise, in dB."""

from collections.abc import Mapping, Sequence

import numpy as np
from onnx import ModelProto

from edgekit.engines import Array, open_engine
from edgekit_converters.calibration.observe import with_outputs

PERFECT_DB = 200.0
"""What is reported where there is no error at all, or none that float32 shows."""


def decibels(signal: float, noise: float) -> float:
    """Signal over noise of sums of squares, at most `PERFECT_DB` either way."""
    if noise <= 0:
        return PERFECT_DB
    if signal <= 0 or noise == float("inf"):
        return -PERFECT_DB
    return float(np.clip(10 * np.log10(signal / noise), -PERFECT_DB, PERFECT_DB))


def compare(
    clean: ModelProto,
    candidate: ModelProto,
    twins: Mapping[str, str],
    feeds: Sequence[Mapping[str, Array]],
) -> dict[str, float]:
    """Signal over noise of tensors of the clean model against their twins in the candidate.

    Raises:
        ModelError: a model does not load or run.
    """
    engines = [
        open_engine("onnxruntime", with_outputs(model, names).SerializeToString())
        for model, names in ((clean, list(twins)), (candidate, list(twins.values())))
    ]
    signal = dict.fromkeys(twins, 0.0)
    noise = dict.fromkeys(twins, 0.0)
    try:
        for each in feeds:
            expected, found = (engine.run(each) for engine in engines)
            for name, twin in twins.items():
                if expected[name].shape == found[twin].shape:
                    wanted = expected[name].astype(np.float64)
                    signal[name] += float(np.square(wanted).sum())
                    noise[name] += float(np.square(found[twin] - wanted).sum())
                else:
                    noise[name] = float("inf")
    finally:
        for engine in engines:
            engine.close()
    return {name: decibels(signal[name], noise[name]) for name in twins}
