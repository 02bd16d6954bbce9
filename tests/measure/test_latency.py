import random
from collections import Counter

import numpy as np
import pytest
from builders import small_files, small_manifest

from edgekit.bundle import write_bundle
from edgekit.errors import InputError, StorageError, UsageError
from edgekit.manifest import Tensor
from edgekit.measure.latency import (
    Sampling,
    calls_per_block,
    compare_latency,
    measure,
    turns,
)
from edgekit.measure.protocol import Loaded
from edgekit.measure.recording import AGAIN, BASELINE, CANDIDATE, Start
from edgekit.measure.samples import Samples, given_samples, synthetic_samples


def test_two_models_are_timed_in_turns_in_every_process(few, many, feeds):
    sampling = Sampling(processes=3, max_calls=48, noise=True)
    found = measure({BASELINE: few, CANDIDATE: many}, given_samples(feeds), sampling)
    calls = Counter(process for process, _ in found.recording.blocks)
    assert set(calls) == {0, 1, 2}
    assert max(calls.values()) == min(calls.values())
    for _, times in found.recording.blocks:
        assert len(times.total_ns[BASELINE]) == len(times.total_ns[CANDIDATE])
    assert found.calls_ms(CANDIDATE).size >= 48


def test_every_side_is_loaded_first_in_one_of_three_processes(few, many, feeds):
    sampling = Sampling(processes=3, max_calls=6, noise=True)
    found = measure({BASELINE: few, CANDIDATE: many}, given_samples(feeds), sampling)
    first = {start.role for start in found.recording.starts if start.place == 0}
    assert first == {BASELINE, CANDIDATE, AGAIN}
    comparison = found.comparison()
    assert comparison.candidate.peak_mb > 10
    assert comparison.noise is not None


def test_a_comparison_names_its_circumstances(few, many, feeds):
    found = compare_latency(few, many, feeds, processes=1, max_calls=16)
    assert found.inputs == "given feeds"
    assert found.environment.versions["edgekit"]
    assert found.ratio.low < found.ratio.point < found.ratio.high
    assert found.candidate.calls == found.baseline.calls


def test_a_model_can_be_timed_alone(few, feeds):
    found = measure({CANDIDATE: few}, given_samples(feeds), Sampling(processes=1, max_calls=8))
    assert found.stopped == "8 calls a side"
    assert found.calls_ms(CANDIDATE).size == 8


def test_measuring_goes_on_until_a_percentile_has_the_calls_it_needs(few, feeds):
    sampling = Sampling(processes=1, max_calls=8, min_calls=90)
    assert measure({CANDIDATE: few}, given_samples(feeds), sampling).calls_ms(CANDIDATE).size >= 90


def test_measuring_ends_when_its_time_is_over(few, feeds):
    sampling = Sampling(processes=1, max_calls=10**9, max_s=0.3)
    assert measure({CANDIDATE: few}, given_samples(feeds), sampling).stopped == "0.3 seconds"


def test_bundles_are_timed_from_raw_input_to_decoded_result(small_bundle):
    samples = Samples((np.zeros((1, 8), np.float32),), raw=True, source="one input")
    found = measure({CANDIDATE: small_bundle}, samples, Sampling(processes=1, max_calls=8))
    assert found.calls_ms(CANDIDATE).min() > 0


def test_a_bundle_can_be_compared_with_a_plain_model(tmp_path, small_onnx):
    bundle = tmp_path / "small-1.0.edgekit"
    write_bundle(bundle, small_manifest(), small_files())
    feeds = [{"x": np.zeros((1, 8), np.float32)}]
    found = compare_latency(small_onnx, bundle, feeds, processes=1, max_calls=8)
    assert found.candidate.calls == 8


def test_no_folder_is_left_behind(few, feeds, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "scratch"))
    monkeypatch.setattr("tempfile.tempdir", None)
    (tmp_path / "scratch").mkdir()
    measure({CANDIDATE: few}, given_samples(feeds), Sampling(processes=1, max_calls=2))
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_scratch_folder_that_cannot_be_written_is_said(few, tmp_path):
    class Unwritable(Samples):
        def write(self, folder):
            raise OSError(28, "No space left on device")

    samples = Unwritable(({"x": np.zeros(1)},), raw=False, source="")
    with pytest.raises(StorageError, match="No space left on device"):
        measure({CANDIDATE: few}, samples, Sampling())


@pytest.mark.parametrize("name", ["threads", "processes", "max_calls"])
def test_numbers_below_one_are_refused(few, feeds, name):
    with pytest.raises(UsageError, match=f"{name}=0"):
        measure({CANDIDATE: few}, given_samples(feeds), Sampling(**{name: 0}))


def test_no_feeds_are_refused(few, many):
    with pytest.raises(UsageError, match="there are none"):
        compare_latency(few, many, [])


def test_turns_are_drawn_from_the_seed_and_balanced_in_every_four_calls():
    order = turns(["a", "b"], 8, random.Random(1))
    assert order == turns(["a", "b"], 8, random.Random(1))
    assert order != turns(["a", "b"], 8, random.Random(2))
    for start in range(0, 16, 4):
        quad = order[start : start + 4]
        assert quad in (["a", "b", "b", "a"], ["b", "a", "a", "b"])


@pytest.mark.parametrize(
    ("warm_ms", "waits", "max_calls", "calls"),
    [(1.0, 0.0, 960, 4), (30.0, 0.0, 960, 4), (0.1, 0.0, 9600, 40), (0.001, 0.0, 9600, 64),
     (1.0, 1.0, 960, 8), (1.0, 0.0, 24, 2)],
)  # fmt: skip
def test_blocks_hold_an_even_number_of_calls_that_fits_their_length(
    warm_ms, waits, max_calls, calls
):
    start = Start(0, CANDIDATE, 0, Loaded(1.0, 1.0, warm_ms, waits, None, "onnxruntime 1"))
    assert calls_per_block((start,), Sampling(max_calls=max_calls)) == calls


def test_synthetic_inputs_depend_only_on_the_seed_and_fit_the_model():
    inputs = (Tensor("x", "float32", ("batch", 8)), Tensor("n", "int64", (2,)))
    one, again = synthetic_samples(inputs, seed=3), synthetic_samples(inputs, seed=3)
    other = synthetic_samples(inputs, seed=4)
    assert one.values[0]["x"].shape == (1, 8)
    assert one.values[0]["n"].dtype == np.int64
    assert np.array_equal(one.values[1]["x"], again.values[1]["x"])
    assert not np.array_equal(one.values[1]["x"], other.values[1]["x"])


def test_strings_cannot_be_synthesized():
    with pytest.raises(InputError, match="strings"):
        synthetic_samples((Tensor("text", "string", (1,)),))
