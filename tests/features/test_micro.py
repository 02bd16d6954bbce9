import pickle

import numpy as np
import pymicro_features
import pytest
from features.speech import speech

from edgekit.errors import InputError, UsageError
from edgekit.features import MicroFrontend, build


def pymicro(samples):
    front_end, rows = pymicro_features.MicroFrontend(), []
    for at in range(0, samples.size - 159, 160):
        found = front_end.process_samples(samples[at : at + 160].tobytes()).features
        if found:
            rows.append(found)
    return np.array(rows, np.float32)


def random(seed, low, high, count=32_000):
    return np.random.default_rng(seed).integers(low, high, count).astype(np.int16)


SIGNALS = {
    "speech": (speech(0) * 30_000).astype(np.int16),
    "quiet speech": (speech(1) * 300).astype(np.int16),
    "silence": np.zeros(16_000, np.int16),
    "a little noise": random(2, -2, 3),
    "full scale noise": random(3, -32_768, 32_768),
    "the lowest value": np.full(16_000, -32_768, np.int16),
    "the highest value": np.full(16_000, 32_767, np.int16),
    "full scale square": np.where(np.arange(32_000) % 50 < 25, -32_768, 32_767).astype(np.int16),
    "full scale at half the rate": np.where(np.arange(16_000) % 2, -32_768, 32_767).astype(
        np.int16
    ),
    "full scale extremes": np.where(random(4, 0, 2) == 0, -32_768, 32_767).astype(np.int16),
    "steps": np.repeat(random(5, -32_768, 32_768, 40), 800),
}


@pytest.mark.parametrize("name", SIGNALS)
def test_features_are_bit_for_bit_those_of_pymicro_features(name):
    np.testing.assert_array_equal(MicroFrontend()(SIGNALS[name]), pymicro(SIGNALS[name]))


def test_each_call_starts_from_silence_and_a_batch_is_its_parts():
    front_end, batch = MicroFrontend(), SIGNALS["speech"][:32_000].reshape(2, -1)
    expected = np.stack([front_end(one) for one in batch])
    np.testing.assert_array_equal(front_end(batch), expected)
    out = np.empty_like(expected)
    assert front_end(batch, out) is out
    np.testing.assert_array_equal(out, expected)


def test_output_scale_is_what_the_whole_numbers_are_multiplied_by():
    whole = MicroFrontend(output_scale=1.0)(SIGNALS["speech"])
    np.testing.assert_array_equal(whole, np.round(whole))
    np.testing.assert_array_equal(MicroFrontend()(SIGNALS["speech"]), whole * np.float32(0.0390625))


def test_the_spec_builds_the_same_features_and_survives_pickling():
    front_end = MicroFrontend(num_channels=32)
    for other in (build(front_end.spec), pickle.loads(pickle.dumps(front_end))):
        assert other == front_end
        assert hash(other) == hash(front_end)
        np.testing.assert_array_equal(other(SIGNALS["steps"]), front_end(SIGNALS["steps"]))


@pytest.mark.parametrize(
    ("samples", "problem"),
    [
        (np.zeros(480, np.float32), "got float32, the micro front end computes with int16"),
        (np.zeros(479, np.int16), "479 values hold no whole window, 480 are the least"),
        (np.zeros((1, 1, 480), np.int16), r"shape \(1, 1, 480\)"),
    ],
)
def test_samples_that_are_not_samples_are_refused(samples, problem):
    with pytest.raises(InputError, match=problem):
        MicroFrontend()(samples)


@pytest.mark.parametrize(
    "numbers",
    [
        {"window_ms": 5},
        {"hop_ms": 40},
        {"num_channels": 300},
        {"high_hz": 8_000.0},
        {"low_hz": 7_600.0},
        {"gain_bits": 31},
        {"smoothing_bits": -1},
        {"pcan_offset": 0.0},
        {"channels": 40},
    ],
    ids=str,
)
def test_numbers_out_of_range_are_refused(numbers):
    with pytest.raises(UsageError, match="micro front end"):
        MicroFrontend(**numbers)
