"""A device's features and outputs against the host's, bit for bit."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from edgekit.engines import Array
from edgekit.measure.devices.guest import Parts, named
from edgekit.measure.devices.measurement import Difference
from edgekit.measure.samples import Samples


def host_arrays(path: Path, samples: Samples) -> Iterator[dict[str, Array]]:
    """Features (of raw samples) and outputs of this machine, for each sample.

    Raises:
        EdgekitError: the model cannot be run here.
    """
    parts = Parts(path, samples.raw)
    for sample in samples.values:
        feeds = parts.features(sample)
        yield named(feeds if samples.raw else {}, parts.infer(feeds))


def differences(
    sample: int, found: Mapping[str, Array], expected: Mapping[str, Array]
) -> list[Difference]:
    """The arrays whose bits differ; one that is missing differs in every value."""
    return [
        _difference(name, sample, found.get(name), array)
        for name, array in expected.items()
        if not _identical(found.get(name), array)
    ]


def _identical(found: Array | None, expected: Array) -> bool:
    return (
        found is not None
        and found.dtype == expected.dtype
        and found.shape == expected.shape
        and found.tobytes() == expected.tobytes()
    )


def _difference(name: str, sample: int, found: Array | None, expected: Array) -> Difference:
    if found is None or found.dtype != expected.dtype or found.shape != expected.shape:
        return Difference(name, sample, expected.size, expected.size, float("inf"))
    if expected.dtype.kind not in "fiub":
        return Difference(name, sample, int(np.sum(found != expected)), expected.size, float("inf"))
    one, other = (np.ascontiguousarray(each).view(np.uint8) for each in (found, expected))
    rows = (one != other).reshape(expected.size, -1).any(axis=1)
    gap = np.abs(found.astype(np.float64) - expected.astype(np.float64))
    largest = float(np.nan_to_num(gap, nan=np.inf).max(initial=0.0))
    return Difference(name, sample, int(rows.sum()), expected.size, largest)
