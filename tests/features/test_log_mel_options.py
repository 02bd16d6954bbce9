"""What the presets leave open: windows, hops, edges, scales, logarithms, dither."""

import kaldi_native_fbank
import numpy as np
import pytest
from features import reference
from features.speech import speech

from edgekit import kernels
from edgekit.errors import InputError, UsageError
from edgekit.features import LogMel, build
from edgekit.manifest import LogMelSpec

INT16 = np.float32(32768)


def kaldi_native(samples, **options):
    settings = kaldi_native_fbank.FbankOptions()
    settings.frame_opts.dither = 0
    settings.mel_opts.num_bins = 40
    for name, value in options.items():
        group = settings.frame_opts if hasattr(settings.frame_opts, name) else settings
        setattr(group, name, value)
    fbank = kaldi_native_fbank.OnlineFbank(settings)
    fbank.accept_waveform(16_000, samples.tolist())
    fbank.input_finished()
    return np.stack([fbank.get_frame(i) for i in range(fbank.num_frames_ready)])


@pytest.mark.parametrize(
    ("ours", "kaldis"),
    [
        ({"window": "hamming"}, {"window_type": "hamming"}),
        ({"window": "hann"}, {"window_type": "hanning"}),
        ({"window": "rectangular"}, {"window_type": "rectangular"}),
        ({"preemphasis": 0.0}, {"preemph_coeff": 0.0}),
        ({"remove_dc": False}, {"remove_dc_offset": False}),
        ({"framing": "hops"}, {"snip_edges": False}),
        ({"window_samples": 512, "hop_samples": 128}, {"frame_length_ms": 32, "frame_shift_ms": 8}),
        ({"hop_samples": 161}, {"frame_shift_ms": 10.0625}),
        ({"spectrum": "magnitude"}, {"use_power": False}),
        ({"energy": True}, {"use_energy": True}),
    ],
    ids=str,
)
def test_options_are_those_of_kaldi_native_fbank(ours, kaldis):
    samples = speech(5, 3.0) * INT16
    expected, found = kaldi_native(samples, **kaldis), LogMel.kaldi(40, **ours)(samples)
    assert found.shape == expected.shape
    # Quiet bins beside loud ones are float32 rounding of the loud ones, in both.
    assert np.quantile(np.abs(found - expected), 0.999) < 2e-3
    assert np.abs(found - expected).mean() < 1e-4


@pytest.mark.parametrize("pad_mode", ["constant", "reflect", "edge", "symmetric"])
@pytest.mark.parametrize(
    ("fft_samples", "hop_samples", "window_samples"),
    [(2048, 512, None), (400, 160, 400), (1024, 333, 600), (960, 961, None)],
)
def test_decibels_are_those_of_librosas_formula(fft_samples, hop_samples, window_samples, pad_mode):
    samples = speech(6, 2.0)
    magnitudes = reference.spectrum(samples, fft_samples, hop_samples, window_samples, pad_mode)
    filters = reference.slaney_filters(16_000, fft_samples, 40)
    log_mel = LogMel.librosa(
        40,
        16_000,
        fft_samples=fft_samples,
        hop_samples=hop_samples,
        window_samples=window_samples,
        padding="zero" if pad_mode == "constant" else pad_mode,
    )
    expected = reference.decibels(magnitudes**2 @ filters.T)
    bound = reference.float32_bound(expected, 5e-6, 3e-7, reference.DECIBEL_UNIT)
    assert (np.abs(log_mel(samples) - expected) <= bound).all()


@pytest.mark.parametrize("fft_samples", [512, 640])
def test_htk_magnitudes_are_those_of_librosas_formula(fft_samples):
    samples = speech(6, 2.0)
    magnitudes = reference.spectrum(samples, fft_samples, fft_samples // 4)
    expected = magnitudes @ reference.htk_filters(16_000, fft_samples, 64).T
    options = {"mel_scale": "htk", "mel_norm": "none", "spectrum": "magnitude"}
    found = LogMel.librosa(64, 16_000, fft_samples=fft_samples, logarithm="none", **options)
    np.testing.assert_allclose(found(samples), expected, rtol=2e-4, atol=1e-4)
    decibels = LogMel.librosa(64, 16_000, fft_samples=fft_samples, logarithm="db", **options)
    levels = 20 * np.log10(np.maximum(expected, 1e-10))
    assert np.quantile(np.abs(decibels(samples) - levels), 0.999) < 2e-3


def test_decibels_are_librosas():
    librosa = pytest.importorskip("librosa", reason="librosa needs numba: half a gigabyte")
    samples = speech(6, 2.0)
    expected = librosa.power_to_db(librosa.feature.melspectrogram(y=samples, sr=22_050)).T
    np.testing.assert_allclose(LogMel.librosa()(samples), expected, rtol=0, atol=2e-3)


@pytest.mark.parametrize("isa", kernels.available_isas())
@pytest.mark.parametrize("scale", [2.0**15, 2.0**-15, 3.0, 2.0**30])
def test_an_input_scale_gives_the_bits_of_samples_scaled_before(isa, scale):
    samples = speech(3, 0.5) / np.float32(64)
    for energy, dither in ((False, 0.0), (True, 0.0), (True, 0.25)):
        options = {"energy": energy, "dither": dither, "seed": 1 if dither else None}
        scaled = LogMel.kaldi(40, input_scale=scale, **options)
        expected = LogMel.kaldi(40, **options)(samples * np.float32(scale))
        np.testing.assert_array_equal(scaled._kernel(samples, isa=isa), expected)
        stream = scaled.stream()
        parts = [stream.push(part) for part in np.array_split(samples, 7)]
        np.testing.assert_array_equal(np.concatenate([*parts, stream.flush()]), expected)


def test_dither_is_noise_of_that_deviation_and_the_same_for_a_seed():
    silence = np.zeros(160_000, np.float32)
    options = {"logarithm": "none", "preemphasis": 0.0, "remove_dc": False, "energy": True}
    quiet = LogMel.kaldi(window="rectangular", dither=0.5, seed=1, **options)(silence)
    np.testing.assert_allclose(np.exp(quiet[:, 0]).mean() / 400, 0.25, rtol=0.02)
    noise = LogMel.kaldi(dither=1.0, seed=1)
    np.testing.assert_array_equal(noise(silence), noise(silence))
    assert (noise(silence) != LogMel.kaldi(dither=1.0, seed=2)(silence)).all()


def test_a_batch_is_its_parts_and_out_is_filled():
    for log_mel in (LogMel.kaldi(), LogMel.whisper(), LogMel.librosa(energy=False)):
        batch = speech(1, 2.0).reshape(2, -1)
        expected = np.stack([log_mel(one) for one in batch])
        out = np.empty_like(expected)
        assert log_mel(batch, out) is out
        np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize(
    "out", [np.empty((98, 80)), np.empty((97, 80), np.float32), np.empty((80, 98), np.float32).T]
)
def test_an_out_that_does_not_fit_is_refused(out):
    with pytest.raises(InputError, match=r"out: got .*expected contiguous float32 \(98, 80\)"):
        LogMel.kaldi()(np.zeros(16_000, np.float32), out)


def test_one_sample_is_enough_where_zeros_lie_beyond_the_ends():
    assert LogMel.librosa()(np.ones(1, np.float32)).shape == (1, 128)
    with pytest.raises(InputError, match="0 values at 22050 Hz hold no whole frame, 1 are"):
        LogMel.librosa()(np.zeros(0, np.float32))


def test_a_spec_carries_every_option():
    log_mel = LogMel.kaldi(window="hamming", framing="hops", dither=0.5, seed=4, hop_samples=200)
    assert build(log_mel.spec) == log_mel
    assert build(log_mel.spec).settings == log_mel.settings


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"dither": 1.0}, "dither=1.0 without a seed; give a seed"),
        ({"dither": float("nan"), "seed": 1}, "dither=nan"),
        ({"dither": 1.0, "seed": -1}, "seed=-1"),
        ({"fft_samples": 448}, "fft_samples=448; use an even number up to 65536"),
        ({"fft_samples": 511}, "fft_samples=511"),
        ({"window_samples": 600, "fft_samples": 512}, "window_samples=600; use 2 to"),
        ({"hop_samples": 0}, "hop_samples=0"),
        ({"framing": "hops", "hop_samples": 500}, "framing='hops' with hop_samples=500"),
        ({"preemphasis": 2.0}, "preemphasis=2.0"),
        ({"floor": 0.0}, "floor=0.0"),
        ({"level_range": -1.0}, "level_range=-1.0"),
        ({"energy": True, "level_range": 8.0}, "energy=True with a level range"),
    ],
    ids=str,
)
def test_options_that_do_not_go_together_are_refused(options, problem):
    with pytest.raises(UsageError, match=problem):
        LogMel(LogMelSpec("kaldi", **options))
