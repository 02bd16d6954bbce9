"""The fixed-point front end with every instruction set: the bits of NumPy, at guard pages."""

import numpy as np
from guarded import guarded, guarded_copy
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from references import micro as reference

from edgekit import kernels
from edgekit.errors import UsageError


@st.composite
def micro_settings(draw):
    rate_hz = draw(st.sampled_from([8_000, 16_000, 22_050, 48_000]))
    window = draw(st.sampled_from([129, 200, 256, 400, 480, 513, 1024, 1100]))
    return kernels.MicroSettings(
        sample_rate_hz=rate_hz,
        window_samples=window,
        hop_samples=draw(st.integers(window // 4, window)),
        channels=draw(st.integers(1, 40)),
        smoothing_bits=draw(st.integers(5, 16)),
        pcan=draw(st.booleans()),
        gain_bits=draw(st.integers(16, 24)),
        log=draw(st.booleans()),
        log_shift=draw(st.integers(0, 8)),
        low_hz=draw(st.sampled_from([0.0, 125.0, 300.0])),
        high_hz=draw(st.sampled_from([3_800.0, rate_hz * 0.47])),
        even_smoothing=draw(st.sampled_from([0.0, 0.025, 1.0])),
        odd_smoothing=draw(st.sampled_from([0.06, 0.5])),
        min_signal_remaining=draw(st.sampled_from([0.0, 0.05, 1.0])),
        pcan_strength=draw(st.sampled_from([0.0, 0.5, 0.95, 2.0])),
        pcan_offset=draw(st.sampled_from([0.001, 1.0, 80.0])),
        output_scale=draw(st.sampled_from([1.0, 0.0390625])),
    )


def noise(random, count):
    return random.normal(size=count) * random.choice([3, 300, 9_000])


SIGNALS = {
    "noise": noise,
    "extremes": lambda random, count: random.choice([0, 1, -1, 32_767, -32_768], count),
    "full scale": lambda random, count: random.choice([32_767, -32_768], count),
    "the lowest value": lambda random, count: np.full(count, -32_768),
    "silence": lambda random, count: np.zeros(count),
    "clicks": lambda random, count: noise(random, count) * (random.random(count) < 0.01),
}


@settings(max_examples=60, deadline=None)
@given(
    micro_settings(), st.sampled_from(list(SIGNALS)), st.integers(0, 5), st.integers(0, 99),
    st.integers(1, 700), st.integers(0, 99),
)  # fmt: skip
def test_rows_are_those_of_the_sources_bit_for_bit(own, signal, hops, more, chunk, seed):
    try:
        kernel = kernels.MicroKernel(own)
    except UsageError:
        assume(False)
    count = own.window_samples + hops * own.hop_samples + more
    values = SIGNALS[signal](np.random.default_rng(seed), count)
    samples = guarded_copy(np.clip(values, -32_768, 32_767).astype(np.int16))
    expected = reference.micro(own, samples)
    for isa in kernels.available_isas():
        stream, out = (
            kernels.MicroStreamKernel(kernel, isa=isa),
            guarded(expected.shape, np.float32),
        )
        take = stream.takes[samples.dtype]
        assert stream.push_into(samples, take, out) == len(expected)
        np.testing.assert_array_equal(out, expected, err_msg=isa)
        stream.restart()
        rows = [stream.push(samples[at : at + chunk], take) for at in range(0, count, chunk)]
        np.testing.assert_array_equal(np.concatenate(rows), expected, err_msg=isa)
