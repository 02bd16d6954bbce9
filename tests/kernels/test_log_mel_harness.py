"""Log-mel with every instruction set against NumPy's float64, on drawn settings, at guard pages."""

import numpy as np
from guarded import guarded, guarded_copy
from hypothesis import given, settings
from hypothesis import strategies as st
from references import log_mel as reference

from edgekit import kernels

FFT_SAMPLES = (16, 30, 48, 64, 100, 128, 240, 256, 400, 480, 512, 540, 1024, 1250)
WINDOWS = ("povey", "hann", "hann_periodic", "hamming", "hamming_periodic", "rectangular")
EDGES = np.array(
    [0, -0.0, 1, -1, 32767, -32768, 1e-45, -1e-40, 1.2e-38, 1e19, -1e19, 3.4e38, np.nan, np.inf],
    np.float32,
)


@st.composite
def log_mel_settings(draw):
    fft = draw(st.sampled_from(FFT_SAMPLES))
    frame = draw(st.sampled_from([fft, max(2, fft - fft // 5), 2 + fft // 3]))
    bins, rate_hz = draw(st.integers(1, 40)), draw(st.sampled_from([8_000, 16_000, 44_100]))
    return kernels.LogMelSettings(
        sample_rate_hz=rate_hz,
        frame_samples=frame,
        window_samples=draw(st.sampled_from([frame, max(2, frame - 3)])),
        hop_samples=draw(st.integers(max(1, frame // 8), frame)),
        fft_samples=fft,
        mel_bins=bins,
        window=draw(st.sampled_from(WINDOWS)),
        mel_scale=draw(st.sampled_from(["kaldi", "slaney", "htk"])),
        mel_area=draw(st.booleans()),
        framing=draw(st.sampled_from(["whole", "centred", "centred_but_last", "hops"])),
        padding=draw(st.sampled_from(["reflect", "symmetric", "zero", "edge"])),
        logarithm=draw(st.sampled_from(["natural", "log10", "db", "none"])),
        magnitude=draw(st.booleans()),
        remove_dc=draw(st.booleans()),
        energy=draw(st.booleans()),
        preemphasis=draw(st.sampled_from([0.0, 0.97])),
        input_scale=draw(st.sampled_from([1.0, 32768.0, 0.3])),
        floor=draw(st.sampled_from([1e-10, 1.2e-7])),
        low_hz=draw(st.sampled_from([0.0, 20.0, 133.3])),
        high_hz=draw(st.sampled_from([rate_hz / 2, 3_700.0])),
        cepstra=draw(st.integers(0, bins)),
        lifter=draw(st.sampled_from([0.0, 22.0])),
        lifter_from=draw(st.integers(0, 1)),
    )


def noise(count, seed, dtype):
    random = np.random.default_rng(seed)
    values = random.normal(size=count) * random.choice([1e-3, 1, 3000]) + random.choice([0, 50])
    return np.round(values).astype(dtype) if dtype == np.int16 else values.astype(dtype)


def rows_everywhere(settings, samples):
    """The rows, the same bits with every instruction set and at both ends of a page."""
    kernel, found = kernels.LogMelKernel(settings), None
    for isa in kernels.available_isas():
        for at_end in (True, False):
            out = guarded((kernel.frames(samples.size), kernel.columns), np.float32, at_end)
            kernel(guarded_copy(samples, at_end), out, isa=isa)
            found = out.copy() if found is None else found
            np.testing.assert_array_equal(out, found, err_msg=isa)
    return found


@settings(max_examples=150, deadline=None)
@given(log_mel_settings(), st.integers(0, 9), st.integers(0, 90), st.integers(0, 99), st.booleans())
def test_rows_are_what_float32_allows_away_from_the_reference(own, frames, more, seed, whole):
    samples = noise(own.frame_samples + frames * own.hop_samples + more, seed, np.float32)
    samples = samples.astype(np.int16) if whole else samples
    found = rows_everywhere(own, samples)
    expected, allowed = reference.log_mel(own, samples)
    assert found.shape == expected.shape
    off = np.abs(found - expected)
    assert (off <= allowed).all(), f"{(off / allowed).max()} of what is allowed"


@settings(max_examples=60, deadline=None)
@given(log_mel_settings(), st.integers(0, 3_000))
def test_samples_at_the_edges_spoil_only_the_frames_that_hold_them(own, seed):
    random = np.random.default_rng(seed)
    samples = noise(own.frame_samples * 3, seed, np.float32)
    samples[random.integers(samples.size)] = random.choice(EDGES)
    found = rows_everywhere(own, samples)
    frames = reference.frames_of(own, samples)
    with np.errstate(all="ignore"):
        expected, allowed = reference.log_mel(own, np.where(np.abs(samples) < 1e9, samples, 0))
    sound = (np.abs(frames) < 1e9).all(1)
    assert (np.abs(found - expected) <= allowed)[sound].all()
    spoiled = found[np.isnan(frames).any(1)][:, own.energy and not own.cepstra :]
    weighed = (reference.filters_of(own) > reference.EDGE).any(1)
    assert np.isnan(spoiled if own.cepstra else spoiled[:, weighed]).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 130), st.integers(0, 40), st.integers(0, 70), st.integers(0, 99))
def test_cepstra_are_the_cosines_of_the_levels(bins, count, rows, seed):
    own = kernels.LogMelSettings(
        **{**USUAL, "mel_bins": bins, "cepstra": max(1, min(count, bins)), "lifter": 22.0}
    )
    kernel = kernels.LogMelKernel(own)
    levels = np.random.default_rng(seed).normal(size=(rows, bins)).astype(np.float32) * 20
    cosines = reference.cosines_of(own)
    found = None
    for isa in kernels.available_isas():
        out = guarded((rows, own.cepstra), np.float32)
        kernels.cepstra(kernel, guarded_copy(levels), out, isa=isa)
        found = out.copy() if found is None else found
        np.testing.assert_array_equal(out, found, err_msg=isa)
    allowed = (bins + 4) * reference.EPS * np.abs(levels) @ np.abs(cosines)
    assert (np.abs(found - levels.astype(np.float64) @ cosines) <= allowed).all()


USUAL = {
    "sample_rate_hz": 16_000, "frame_samples": 400, "window_samples": 400, "hop_samples": 160,
    "fft_samples": 512, "mel_bins": 80, "window": "povey", "mel_scale": "kaldi",
    "framing": "whole", "logarithm": "natural", "remove_dc": True, "preemphasis": 0.97,
    "input_scale": 1.0, "floor": 1e-7, "low_hz": 20.0, "high_hz": 8_000.0,
}  # fmt: skip


@settings(deadline=None)
@given(st.integers(0, 400), st.integers(0, 99), st.floats(0.5, 100), st.booleans())
def test_a_clamped_range_is_that_of_numpy(count, seed, range_, spoiled):
    values = np.random.default_rng(seed).normal(size=count).astype(np.float32) * 30
    if spoiled and count:
        values[seed % count] = np.nan
    found = guarded_copy(values)
    kernels.clamp_range(found, range_, 4.0, 0.25)
    least = values.max(initial=-np.inf) - np.float32(range_)
    expected = (np.maximum(values, least) + np.float32(4)) * np.float32(0.25)
    np.testing.assert_array_equal(found, expected)
