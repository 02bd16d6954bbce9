"""How often a model is run for its instructions, on counts that are written down."""

from types import SimpleNamespace

import numpy as np
import pytest
from edgekit_converters.costs.cost import Place
from edgekit_converters.costs.meters import EmulatedInstructions

from edgekit.measure.environment import local_environment


class Counter:
    """A device that notes what it is asked, and whose calls may take long."""

    def __init__(self, is_long):
        self.is_long = is_long
        self.asked = []

    def environment(self):
        return local_environment()

    def count(self, path, samples, counting):
        width = [each["x"].shape[1] for each in samples.values]
        self.asked.append((path.name, width))
        calls = 1 if self.is_long else counting.calls
        inference = SimpleNamespace(instructions=sum(width) // len(width) * 1000)
        return SimpleNamespace(inference=inference, samples=[SimpleNamespace(calls=calls)])


@pytest.fixture
def files(tmp_path):
    paths = tmp_path / "source", tmp_path / "candidate"
    for path in paths:
        path.write_text(path.name)
    return paths


def measured(files, widths, *, is_long):
    feeds = [{"x": np.zeros((1, width), np.float32)} for width in widths]
    meter = EmulatedInstructions(Place("instructions", "arm://cortex-a76"), feeds)
    meter.__dict__["_device"] = device = Counter(is_long)
    meter.screen(*files)
    first = list(device.asked)
    cost = meter.measure(*files)
    return first, device.asked[len(first) :], cost


def test_a_first_look_takes_the_smallest_sample(files):
    first, _, _ = measured(files, (30, 10, 20), is_long=False)
    assert first == [("source", [10]), ("candidate", [10])]


def test_a_short_call_is_counted_again_and_with_another_sample(files):
    _, again, cost = measured(files, (30, 10, 20), is_long=False)
    assert again == [("source", [10, 20]), ("candidate", [10, 20])]
    assert cost.samples == 6


def test_a_long_call_is_made_once_with_each_shape(files):
    _, again, cost = measured(files, (30, 10, 20), is_long=True)
    assert again == [("source", [20]), ("candidate", [20])]
    assert (cost.baseline, cost.samples) == (0.015, 2)
    assert measured(files, (10, 10, 10), is_long=True)[1] == []
