"""What the feature kernels take, checked before they are timed. They inform; the gate judges."""

import numpy as np
import pytest

from edgekit import kernels
from edgekit.features import Ewma, ImageTensor, LogMel, RollingStats

SECONDS = 10
RATE_HZ = 16_000


def audio():
    noise = np.random.default_rng(0).normal(size=SECONDS * RATE_HZ)
    return (np.cumsum(noise) % 2000 - 1000).astype(np.float32)


@pytest.mark.parametrize("isa", kernels.available_isas())
@pytest.mark.parametrize("log_mel", [LogMel.kaldi(), LogMel.whisper()], ids=["kaldi", "whisper"])
def test_log_mel_of_ten_seconds(benchmark, log_mel, isa):
    samples, kernel = audio(), kernels.LogMelKernel(log_mel.settings)
    expected = kernel(samples, isa="portable")
    assert expected.shape == (kernel.frames(samples.size), 80)
    assert np.isfinite(expected).all()
    np.testing.assert_array_equal(kernel(samples, isa=isa), expected)
    benchmark.extra_info["frames"] = len(expected)
    benchmark(kernel, samples, isa=isa)


@pytest.mark.parametrize("size", [(480, 640), (1080, 1920)], ids=["480p", "1080p"])
@pytest.mark.parametrize("mode", ["bilinear", "antialias", "area", "nearest"])
@pytest.mark.parametrize("isa", kernels.available_isas())
def test_image_to_tensor_of_224(benchmark, size, mode, isa):
    image = np.random.default_rng(1).integers(0, 256, (*size, 3), dtype=np.uint8)
    settings = kernels.TensorSettings(scale=(1 / 255,) * 3, mode=mode)
    kernel = kernels.ImageKernel(settings, kernels.Placement((224, 224)))
    flat = np.full_like(image, 51)
    np.testing.assert_allclose(kernel(flat, isa=isa), 0.2, rtol=1e-6)
    np.testing.assert_array_equal(kernel(image, isa=isa), kernel(image, isa="portable"))
    benchmark(kernel, image, isa=isa)


JOBS = {
    "min and max": ("min", "max"),
    "mean, std, z, ewma": ("mean", "std", "z_score", "ewma"),
    "median": (0.5,),
}


@pytest.mark.parametrize("window", [5, 60, 1_000])
@pytest.mark.parametrize("job", JOBS)
@pytest.mark.parametrize("isa", kernels.available_isas())
def test_rolling_statistics_of_a_hundred_thousand_samples(benchmark, job, window, isa):
    samples = np.random.default_rng(2).normal(size=(1, 100_000))
    stats = RollingStats(window, JOBS[job], ewma=Ewma(0.1))
    expected, out = stats(samples), np.empty((1, len(JOBS[job]), 100_000))
    first = {"min and max": np.min, "median": np.median}.get(job, np.mean)(samples[0, -window:])
    np.testing.assert_allclose(expected[0, 0, -1], first, rtol=1e-9, atol=1e-12)
    assert stats._kernel(samples, out, isa=isa)
    np.testing.assert_array_equal(out, expected)
    benchmark(stats._kernel, samples, out, isa=isa)


def test_one_frame_through_the_public_class(benchmark):
    log_mel, samples = LogMel.kaldi(), audio()[:400]
    assert log_mel(samples).shape == (1, 80)
    benchmark(log_mel, samples)


def test_one_pixel_through_the_public_class(benchmark):
    tensor, image = ImageTensor(height_px=1, width_px=1), np.full((1, 1, 3), 255, np.uint8)
    assert (tensor(image) == 1.0).all()
    benchmark(tensor, image)


def test_tables_of_a_log_mel_plan(benchmark):
    assert LogMel.kaldi()(audio()).shape == (998, 80)
    benchmark(LogMel.kaldi)
