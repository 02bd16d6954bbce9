import pickle

import kaldi_native_fbank
import numpy as np
import pytest
from features import reference
from features.speech import speech

from edgekit import kernels
from edgekit.errors import InputError, UsageError
from edgekit.features import Mfcc, build

INT16 = np.float32(32768)


def kaldi_native(samples, use_energy):
    options = kaldi_native_fbank.MfccOptions()
    options.frame_opts.dither = 0
    options.use_energy = use_energy
    mfcc = kaldi_native_fbank.OnlineMfcc(options)
    mfcc.accept_waveform(16_000, samples.tolist())
    mfcc.input_finished()
    return np.stack([mfcc.get_frame(i) for i in range(mfcc.num_frames_ready)])


@pytest.mark.parametrize("use_energy", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_kaldi_coefficients_are_those_of_kaldi_native_fbank(seed, use_energy):
    samples = speech(seed) * INT16
    expected = kaldi_native(samples, use_energy)
    found = Mfcc.kaldi(energy=use_energy)(samples)
    assert found.shape == expected.shape == (598, 13)
    # Both are float32; levels of up to 24, weighed by 23 cosines and a lifter of up to 12.
    np.testing.assert_allclose(found, expected, rtol=0, atol=5e-3)
    assert np.abs(found - expected).mean() < 2e-4


@pytest.mark.parametrize("seed", range(3))
def test_kaldi_coefficients_are_float32_rounding_away_from_the_float64_reference(seed):
    samples = speech(seed) * INT16
    expected = reference.kaldi_cepstra(samples)
    found = Mfcc.kaldi()(samples)
    np.testing.assert_allclose(found, expected, rtol=0, atol=5e-3)
    assert np.abs(found - expected).mean() < 1e-4


@pytest.mark.parametrize("lifter", [0.0, 22.0])
def test_librosa_coefficients_are_those_of_its_formula(lifter):
    samples = speech(4)
    power = reference.spectrum(samples, 2048, 512) ** 2
    levels = reference.decibels(power @ reference.slaney_filters(22_050, 2048, 128).T)
    expected = reference.cepstra(levels, 20, lifter, 1)
    found = Mfcc.librosa(lifter=lifter)(samples)
    np.testing.assert_allclose(found, expected, rtol=0, atol=5e-3)


def test_librosa_coefficients_are_librosas():
    librosa = pytest.importorskip("librosa", reason="librosa needs numba: half a gigabyte")
    samples = speech(4)
    expected = librosa.feature.mfcc(y=samples, sr=22_050, lifter=22).T
    np.testing.assert_allclose(Mfcc.librosa(lifter=22.0)(samples), expected, rtol=0, atol=5e-3)


@pytest.mark.parametrize("isa", kernels.available_isas())
def test_every_instruction_set_gives_the_bits_of_portable(isa):
    samples = speech(1, 1.0)
    for mfcc in (Mfcc.kaldi(), Mfcc.librosa(logarithm="db")):
        expected = mfcc._kernel(samples, isa="portable")
        np.testing.assert_array_equal(mfcc._kernel(samples, isa=isa), expected)
        levels = mfcc._levels(samples)[:, -mfcc._kernel.settings.mel_bins :].copy()
        found = np.empty_like(expected)
        kernels.cepstra(mfcc._kernel, levels, found, isa=isa)
        np.testing.assert_array_equal(found[:, 1:], expected[:, 1:])


def test_a_batch_is_its_parts_and_out_is_filled():
    for mfcc in (Mfcc.kaldi(), Mfcc.librosa()):
        batch = speech(1, 2.0).reshape(2, -1)
        expected = np.stack([mfcc(one) for one in batch])
        out = np.empty_like(expected)
        assert mfcc(batch, out) is out
        np.testing.assert_array_equal(out, expected)


def test_the_spec_builds_the_same_features_and_survives_pickling():
    samples = speech(0, 1.0)
    for mfcc in (Mfcc.kaldi(20, 40), Mfcc.librosa(lifter=5.0)):
        for other in (build(mfcc.spec), pickle.loads(pickle.dumps(mfcc))):
            assert other == mfcc
            assert hash(other) == hash(mfcc)
            np.testing.assert_array_equal(other(samples), mfcc(samples))


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: Mfcc.kaldi(24), "num_ceps=24; use 1 to num_mel_bins=23"),
        (lambda: Mfcc.kaldi(0), "num_ceps=0"),
        (lambda: Mfcc.kaldi(lifter=0.5), "lifter=0.5; use 0 for none"),
        (lambda: Mfcc.librosa(energy=True), "energy=True with a level range"),
    ],
)
def test_numbers_that_do_not_go_together_are_refused(make, problem):
    with pytest.raises(UsageError, match=problem):
        make()


def test_too_few_samples_are_refused():
    with pytest.raises(InputError, match="399 values at 16000 Hz hold no whole frame, 400 are"):
        Mfcc.kaldi()(np.zeros(399, np.float32))
