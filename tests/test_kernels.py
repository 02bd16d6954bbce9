import dataclasses
import platform
import shutil
import subprocess
import sys

import numpy as np
import pytest

from edgekit import kernels
from edgekit.errors import UsageError

KALDI = kernels.LogMelSettings(
    sample_rate_hz=16_000,
    frame_samples=400,
    window_samples=400,
    hop_samples=160,
    fft_samples=512,
    mel_bins=80,
    window="povey",
    mel_scale="kaldi",
    framing="whole",
    logarithm="natural",
    remove_dc=True,
    preemphasis=0.97,
    input_scale=1.0,
    floor=float(np.finfo(np.float32).eps),
    low_hz=20.0,
    high_hz=8_000.0,
)


def test_portable_is_always_available_and_comes_first():
    assert kernels.available_isas()[0] == "portable"


def test_cpu_features_are_those_of_the_architecture():
    found = set(kernels.cpu_features())
    expected = {"x86_64": "sse2", "aarch64": "asimd", "arm64": "asimd"}.get(platform.machine())
    assert expected is None or expected in found


def test_an_instruction_set_that_is_not_here_is_refused_with_those_that_are():
    with pytest.raises(UsageError, match=r"instruction set 'mmx': not available here.*portable"):
        kernels.LogMelKernel(KALDI)(np.zeros(400, np.float32), isa="mmx")


def test_a_transform_length_with_a_factor_above_5_is_refused():
    with pytest.raises(UsageError, match="fft_samples=448"):
        kernels.LogMelKernel(dataclasses.replace(KALDI, fft_samples=448))


def test_too_few_samples_for_a_frame_give_no_rows():
    assert kernels.LogMelKernel(KALDI)(np.zeros(399, np.float32)).shape == (0, 80)


def test_clamp_range_keeps_what_lies_within_it():
    values = np.array([[1, -3], [-20, 0]], np.float32)
    kernels.clamp_range(values, 8.0, 4.0, 0.25)
    np.testing.assert_array_equal(values, np.array([[1.25, 0.25], [-0.75, 1.0]], np.float32))


def test_a_tensor_without_pixels_is_refused():
    settings = kernels.TensorSettings(scale=(1.0, 1.0, 1.0))
    with pytest.raises(UsageError, match="use sides of 1 to 32768"):
        kernels.ImageKernel(settings, kernels.Placement((0, 4)))


ASK = """
import numpy
from edgekit import kernels
print(*kernels.available_isas())
make = kernels.ImageKernel(kernels.TensorSettings(scale=(1, 1, 1)), kernels.Placement((4, 4)))
picture = numpy.arange(48, dtype=numpy.uint8).reshape(4, 4, 3)
assert make(picture).sum() == picture.sum()
make(picture, isa="avx2")
"""


@pytest.mark.skipif(
    platform.machine() != "x86_64" or not shutil.which("qemu-x86_64"),
    reason="needs qemu-x86_64: apt-get install qemu-user",
)
def test_a_cpu_without_avx2_runs_what_it_has_and_refuses_avx2_by_name():
    ivy_bridge = ["qemu-x86_64", "-cpu", "IvyBridge"]
    found = subprocess.run(
        [*ivy_bridge, sys.executable, "-c", ASK], capture_output=True, text=True, check=False
    )
    assert found.stdout == "portable sse2\n"
    assert found.returncode == 1  # an error, no signal
    refused = "instruction set 'avx2': not available here; use one of portable, sse2"
    assert refused in found.stderr.splitlines()[-1]
