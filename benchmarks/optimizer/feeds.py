"""What every peer calibrates on: tensors that the task feeds the model on its calibration split."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from edgekit_converters.search.evaluate import running

from edgekit.engines import Array
from edgekit.task import Task

SAMPLES = 64
CALLS = 512
T = TypeVar("T")


def calibration_feeds(model: Path, task: Task) -> list[dict[str, Array]]:
    """Inputs of the calls of at most 64 samples, spread evenly; at most 512 calls, likewise.

    Most workloads call the model once a sample. A stateful one is fed the states that it saw.
    """
    calls: list[dict[str, Array]] = []
    with running(model) as run:

        def recording(feeds: Mapping[str, Array]) -> dict[str, Array]:
            calls.append({name: np.array(array) for name, array in feeds.items()})
            return run(feeds)

        raws: list[Any] = [raw for raw, _label, _group in task.samples("calibration")]
        for raw in evenly(raws, SAMPLES):
            task.predict(recording, raw)
    return evenly(calls, CALLS)


def evenly(things: Sequence[T], most: int) -> list[T]:
    """At most so many, spread evenly over all."""
    count = min(most, len(things))
    return [things[place * len(things) // count] for place in range(count)]
