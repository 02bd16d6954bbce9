import pickle
from concurrent.futures import ThreadPoolExecutor

import kaldi_native_fbank
import numpy as np
import pytest
from features import reference
from features.speech import speech
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edgekit.errors import InputError, UsageError
from edgekit.features import LogMel, build
from edgekit.manifest import LogMelSpec

INT16 = np.float32(32768)


def kaldi_native(samples, bins=80, rate_hz=16_000):
    options = kaldi_native_fbank.FbankOptions()
    options.frame_opts.dither = 0
    options.frame_opts.samp_freq = rate_hz
    options.mel_opts.num_bins = bins
    fbank = kaldi_native_fbank.OnlineFbank(options)
    fbank.accept_waveform(rate_hz, samples.tolist())
    fbank.input_finished()
    return np.stack([fbank.get_frame(i) for i in range(fbank.num_frames_ready)])


@pytest.mark.parametrize("seed", range(4))
def test_kaldi_energies_are_float32_rounding_away_from_the_float64_reference(seed):
    samples = speech(seed) * INT16
    expected = reference.kaldi(samples)
    found = LogMel.kaldi()(samples)
    assert found.dtype == np.float32
    assert found.shape == expected.shape
    assert (np.abs(found - expected) <= reference.float32_bound(expected, 5e-6, 1e-6)).all()
    assert np.abs(found - expected).mean() < 2e-5


@pytest.mark.parametrize(
    ("bins", "rate_hz"), [(80, 16_000), (40, 8_000), (23, 22_050), (64, 44_100)]
)
def test_kaldi_energies_are_those_of_kaldi_native_fbank(bins, rate_hz):
    samples = speech(5) * INT16
    expected = kaldi_native(samples, bins, rate_hz)
    found = LogMel.kaldi(bins, rate_hz)(samples)
    assert found.shape == expected.shape
    # kaldi-native-fbank makes its mel weights in float32: up to 1e-4 off the reference, ours 5e-6.
    assert (np.abs(found - expected) <= reference.float32_bound(expected, 2e-4, 1e-6)).all()


@pytest.mark.parametrize("bins", [80, 128])
@pytest.mark.parametrize("seed", range(3))
def test_whisper_features_are_those_of_the_openai_formula(seed, bins):
    samples = speech(seed)
    expected = reference.whisper(samples, bins)
    found = LogMel.whisper(bins)(samples)
    assert found.shape == expected.shape == (samples.size // 160, bins)
    bound = reference.float32_bound(expected, 5e-6, 3e-7, reference.WHISPER_UNIT)
    assert (np.abs(found - expected) <= bound).all()


def test_a_band_of_its_own_is_honoured():
    samples = speech(2) * INT16
    found = LogMel.kaldi(30, low_hz=100, high_hz=7_000)(samples)
    expected = reference.kaldi(samples, 30, low_hz=100, high_hz=7_000)
    assert (np.abs(found - expected) <= reference.float32_bound(expected, 5e-6, 1e-6)).all()


def test_int16_is_taken_as_its_values():
    whole = (speech(1) * 30_000).astype(np.int16)
    floats = whole.astype(np.float32)
    np.testing.assert_array_equal(LogMel.kaldi()(whole), LogMel.kaldi()(floats))


def test_input_scale_multiplies_samples_of_either_dtype():
    floats = (speech(1) * 30_000).astype(np.int16).astype(np.float32)
    expected = LogMel.whisper()(floats / INT16)
    scaled = LogMel.whisper(input_scale=1 / 32768)
    np.testing.assert_array_equal(scaled(floats), expected)
    np.testing.assert_array_equal(scaled(floats.astype(np.int16)), expected)


def test_silence_is_the_floor_of_each_preset():
    silence = np.zeros(1_600, np.float32)
    np.testing.assert_allclose(LogMel.kaldi()(silence), np.log(np.finfo(np.float32).eps), rtol=1e-6)
    np.testing.assert_allclose(LogMel.whisper()(silence), -1.5, atol=1e-6)


def test_a_nan_spoils_the_kaldi_frames_that_hold_it_and_no_other():
    samples = speech(3, 1.0)
    samples[5_000] = np.nan
    spoiled = np.isnan(LogMel.kaldi()(samples))
    holds = [frame * 160 <= 5_000 < frame * 160 + 400 for frame in range(len(spoiled))]
    np.testing.assert_array_equal(spoiled.all(1), holds)
    np.testing.assert_array_equal(spoiled.any(1), holds)


def test_a_nan_spoils_all_of_whisper_whose_range_hangs_on_the_largest_value():
    samples = speech(3, 1.0)
    samples[5_000] = np.nan
    assert np.isnan(LogMel.whisper()(samples)).all()


@given(start=st.integers(0, 3), step=st.sampled_from([1, 2, 3, -1]), count=st.integers(400, 2_000))
def test_strided_samples_give_what_their_copy_gives(start, step, count):
    view = speech(0, 1.0)[start : start + count * abs(step)][::step]
    np.testing.assert_array_equal(LogMel.kaldi()(view), LogMel.kaldi()(view.copy()))


@given(count=st.integers(400, 4_000))
def test_each_kaldi_frame_depends_on_its_own_samples_only(count):
    samples, log_mel = speech(1, 1.0)[:count], LogMel.kaldi()
    rows = [log_mel(samples[start : start + 400]) for start in range(0, count - 399, 160)]
    np.testing.assert_array_equal(log_mel(samples), np.concatenate(rows))


@settings(max_examples=30)
@given(hnp.arrays(np.int16, st.integers(400, 900)))
def test_any_int16_input_gives_finite_energies(samples):
    assert np.isfinite(LogMel.kaldi()(samples)).all()
    assert np.isfinite(LogMel.whisper()(samples)).all()


def test_threads_share_one_instance():
    log_mel, inputs = LogMel.kaldi(), [speech(seed, 2.0) for seed in range(8)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(log_mel, inputs * 4))
    for row, samples in zip(found, inputs * 4, strict=True):
        np.testing.assert_array_equal(row, log_mel(samples))


def test_the_spec_builds_the_same_features_and_survives_pickling():
    samples = speech(0, 1.0)
    for log_mel in (LogMel.kaldi(64, 16_000, 50, 7_600), LogMel.whisper(128, input_scale=0.5)):
        for other in (build(log_mel.spec), pickle.loads(pickle.dumps(log_mel))):
            assert other == log_mel
            np.testing.assert_array_equal(other(samples), log_mel(samples))


def test_a_spec_without_a_band_has_the_band_of_its_preset():
    samples = speech(0, 1.0)
    for short, full in (("kaldi", LogMel.kaldi()), ("whisper", LogMel.whisper())):
        np.testing.assert_array_equal(LogMel(LogMelSpec(short))(samples), full(samples))


@pytest.mark.parametrize(
    ("samples", "problem"),
    [
        ([0.0] * 400, "got list, expected a NumPy array of float32 or int16"),
        (np.zeros(400), r"got float64 with shape \(400,\)"),
        (np.zeros(400, ">i2"), "got >i2"),
        (np.zeros((400, 2), np.float32), "2 values at 16000 Hz hold no whole frame"),
        (np.zeros((1, 1, 400), np.float32), r"got float32 with shape \(1, 1, 400\)"),
        (
            np.zeros(399, np.float32),
            "399 values at 16000 Hz hold no whole frame, 400 are the least",
        ),
        (np.zeros(0, np.int16), "0 values at 16000 Hz"),
    ],
)
def test_samples_that_are_not_samples_are_refused_by_name(samples, problem):
    with pytest.raises(InputError, match=problem):
        LogMel.kaldi()(samples)


def test_whisper_says_how_many_samples_it_needs():
    with pytest.raises(InputError, match="200 values at 16000 Hz hold no whole frame, 201 are"):
        LogMel.whisper()(np.zeros(200, np.float32))
    assert LogMel.whisper()(np.zeros(201, np.float32)).shape == (1, 80)


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        (LogMelSpec("whisper", 8_000), "sample_rate_hz=8000; the whisper preset is for 16000 Hz"),
        (LogMelSpec("kaldi", 900), "sample_rate_hz=900; use 1000 to 1000000"),
        (LogMelSpec("kaldi", num_mel_bins=257), "num_mel_bins=257; use 1 to 256"),
        (LogMelSpec("kaldi", high_hz=8_001.0), "a band from 20 to 8001 Hz at sample_rate_hz=16000"),
        (LogMelSpec("kaldi", low_hz=4_000.0, high_hz=300.0), "a band from 4000 to 300 Hz"),
        (LogMelSpec("kaldi", low_hz=float("nan")), "a band from nan to 8000 Hz"),
        (LogMelSpec("kaldi", input_scale=0.0), "input_scale=0.0; use a number > 0"),
        (LogMelSpec("kaldi", input_scale=float("inf")), "input_scale=inf"),
        (LogMelSpec("fbank"), "preset='fbank'; use 'kaldi', 'whisper' or 'librosa'"),
    ],
)
def test_numbers_that_do_not_go_together_are_refused(spec, problem):
    with pytest.raises(UsageError, match=problem):
        LogMel(spec)
