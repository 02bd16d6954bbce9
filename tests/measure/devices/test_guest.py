"""The process that is counted, run here with marks that only take notes."""

import msgspec
import numpy as np
import pytest
from featurebundle import audio

from edgekit.errors import UsageError
from edgekit.measure.devices.guest import (
    FEATURES,
    INFERENCE,
    NOTHING,
    Marks,
    Request,
    read_arrays,
    run,
)
from edgekit.measure.samples import Samples, given_samples


@pytest.fixture
def ask(tmp_path):
    def build(path, samples, **changes):
        fields = {
            "path": str(path), "samples": samples.write(tmp_path), "raw": samples.raw, "calls": 4,
            "warm_calls": 2, "max_s": 60.0, "folder": str(tmp_path),
        }  # fmt: skip
        return Request(**(fields | changes))

    return build


def marked(request):
    notes = []
    answer = run(request, Marks(lambda kind, sample: notes.append((kind, sample))))
    return answer, notes


def test_every_region_lies_between_two_equal_marks(ask, models, feeds_64):
    answer, notes = marked(ask(models["ten"], given_samples(feeds_64)))
    assert notes[::2] == notes[1::2]
    assert answer.calls == [4, 4]
    assert answer.runtime.startswith("onnxruntime ")
    assert notes[::2] == [(NOTHING, 0)] * 4 + [(INFERENCE, 0)] * 6 + [(INFERENCE, 1)] * 6


def test_features_of_raw_samples_are_a_region_of_their_own(ask, models, tmp_path):
    samples = Samples((audio(),), raw=True, source="audio")
    _, notes = marked(ask(models["features"], samples))
    assert notes[8::2] == [(FEATURES, 0), (INFERENCE, 0)] * 6
    arrays = read_arrays(tmp_path / "0")
    assert arrays["features features"].dtype == np.float32
    assert arrays["output scores"].shape == (1, 12)


def test_after_the_time_is_up_one_call_is_enough(ask, models, feeds_64):
    answer, notes = marked(ask(models["ten"], given_samples(feeds_64), max_s=0.0))
    assert answer.calls == [1, 1]
    assert notes[8::2] == [(INFERENCE, 0), (INFERENCE, 1)]


def test_a_model_file_has_no_features(ask, models):
    samples = Samples((audio(),), raw=True, source="audio")
    with pytest.raises(UsageError, match="raw inputs need a bundle"):
        marked(ask(models["ten"], samples))


def test_a_request_survives_the_way(ask, models, feeds_64):
    request = ask(models["ten"], given_samples(feeds_64))
    assert msgspec.json.decode(msgspec.json.encode(request), type=Request) == request
