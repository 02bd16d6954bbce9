"""Histograms of what the model sees and says on calibration data: the baseline for drift."""

from collections.abc import Mapping
from pathlib import Path

from edgekit.engines import Array
from edgekit.reference import SCHEMA, Counter, Reference
from edgekit.task import Task
from edgekit_converters.calibration.calibrate import SPLIT, Ranges
from edgekit_converters.search.evaluate import running


def observe(model: Path, task: Task, ranges: Ranges) -> Reference:
    """Run the calibration split once more, through the model that is packed.

    Args:
        model: its file.
        task: whose `predict` feeds it.
        ranges: of the clean fp32 model; they place the bins. Tensors without one are left out.
    """
    usable = {name: each for name, each in ranges.items() if each.is_usable}
    inputs: dict[str, Counter] = {}
    outputs: dict[str, Counter] = {}
    calls, group = 0, ""

    def add(counters: dict[str, Counter], tensors: Mapping[str, Array]) -> None:
        for name in tensors.keys() & usable.keys():
            each = usable[name]
            counters.setdefault(name, Counter(each.low, each.high)).add(tensors[name], group)

    with running(model) as run:

        def watched(feeds: Mapping[str, Array]) -> dict[str, Array]:
            nonlocal calls
            calls += 1
            found = run(feeds)
            add(inputs, feeds)
            add(outputs, found)
            return found

        for raw, _label, group in task.samples(SPLIT):  # noqa: B007 - `add` reads it
            task.predict(watched, raw)
    made = ({name: each.result() for name, each in sorted(c.items())} for c in (inputs, outputs))
    return Reference(SCHEMA, calls, *made)
